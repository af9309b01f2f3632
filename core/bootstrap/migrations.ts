import type { Migration } from '../../sql/bundle.js';
import { FirnError } from '../errors.js';
import type { Warehouse } from '../warehouse/snowflake.js';

const label = ({ version, name }: Migration): string => `V${String(version).padStart(3, '0')}__${name}`;

/**
 * Applies the migrations that are missing, in order, and writes each down when all of its statements have run.
 * One that stopped half way runs again from its first statement: each statement may run twice.
 * Later ones that are there already stay, so that an older version can be deployed again.
 *
 * @returns the names of those applied
 * @throws FirnError ConfigInvalid when one has changed since it was applied; nothing is applied then
 */
export async function migrate(warehouse: Warehouse, migrations: Migration[]): Promise<string[]> {
  const rows = await warehouse.query('SELECT version AS "version", checksum AS "checksum" FROM FIRN.SCHEMA_MIGRATIONS');
  const applied = new Map(rows.map(({ version, checksum }) => [Number(version), String(checksum)]));

  const changed = migrations.find(({ version, checksum }) => applied.has(version) && applied.get(version) !== checksum);
  if (changed) {
    throw new FirnError(
      'ConfigInvalid',
      `Migration ${label(changed)} has changed since it was applied: put the change into a new migration.`,
    );
  }

  const missing = migrations.filter(({ version }) => !applied.has(version)).sort((a, b) => a.version - b.version);
  for (const { version, name, checksum, statements } of missing) {
    for (const statement of statements) await warehouse.query(statement);
    await warehouse.query('INSERT INTO FIRN.SCHEMA_MIGRATIONS (version, name, checksum, applied_at) SELECT ?, ?, ?, SYSDATE()', [
      version,
      name,
      checksum,
    ]);
  }
  return missing.map(label);
}
