import { systemColumns } from '../column.js';
import { FirnError } from '../errors.js';
import type { DataFile, Manifest } from '../plan/manifest.js';
import type { Plan } from '../plan/plan.js';
import { qualifiedName, quoteIdentifier } from '../warehouse/identifiers.js';
import type { Warehouse } from '../warehouse/snowflake.js';

export const rawTableName = ({ target }: Pick<Plan, 'target'>): string => qualifiedName(target.rawSchema, target.rawTable);

/** Rows of the run in raw, by file. Raw may hold files that no manifest names. */
export async function countLoadedRows(warehouse: Warehouse, plan: Plan): Promise<Map<string, number>> {
  const rows = await warehouse.query(
    `SELECT ${quoteIdentifier(systemColumns.file)} AS "file", COUNT(*) AS "rows"
FROM ${rawTableName(plan)} WHERE ${quoteIdentifier(systemColumns.run)} = ? GROUP BY ${quoteIdentifier(systemColumns.file)}`,
    [plan.run.runId],
  );
  return new Map(rows.map(({ file, rows }) => [String(file), Number(rows)]));
}

/**
 * The manifest's files that are not fully loaded yet.
 * @throws FirnError CountMismatch when a file has more rows in raw than were written into it
 */
export function missingFiles({ files }: Pick<Manifest, 'files'>, loaded: Map<string, number>): DataFile[] {
  const twice = files.find(({ key, rows }) => (loaded.get(key) ?? 0) > rows);
  if (twice) {
    throw new FirnError(
      'CountMismatch',
      `${twice.key} holds ${twice.rows} rows, but raw has ${loaded.get(twice.key)} of it: it was loaded twice.`,
    );
  }
  return files.filter(({ key, rows }) => (loaded.get(key) ?? 0) < rows);
}
