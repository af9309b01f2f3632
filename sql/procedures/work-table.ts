import { qualifiedName } from '../../core/warehouse/identifiers.js';
import { attempt, query, type Snowflake } from './session.js';

/**
 * Work tables are TRANSIENT, not temporary: procedures with owner's rights may not create temporary tables.
 * Each call has its own, so that two calls for one run do not meet.
 */
export function withWorkTable<T>(snowflake: Snowflake, label: string, use: (work: string, name: string) => T): T {
  sweep(snowflake);
  const name = `W_${label}_${token()}`;
  return droppedAfter(snowflake, name, (work) => use(work, name));
}

/** The same for a second table, beside the work table `name`. */
export const withKeyTable = <T>(snowflake: Snowflake, name: string, use: (keyTable: string) => T): T =>
  droppedAfter(snowflake, `${name}_KEYS`, use);

function droppedAfter<T>(snowflake: Snowflake, name: string, use: (table: string) => T): T {
  const table = qualifiedName('FIRN', name);
  try {
    return use(table);
  } finally {
    // Left behind, it is swept by a later call.
    attempt(snowflake, `DROP TABLE IF EXISTS ${table}`);
  }
}

/** Eight digits that no other call has. */
export const token = (): string =>
  Math.floor(Math.random() * 0x100000000)
    .toString(16)
    .toUpperCase()
    .padStart(8, '0');

/** Those of calls that were killed. No statement of ours lives for two days. */
function sweep(snowflake: Snowflake): void {
  const stale = query(
    snowflake,
    `SELECT table_name AS NAME FROM INFORMATION_SCHEMA.TABLES
WHERE table_schema = 'FIRN' AND STARTSWITH(table_name, 'W_') AND created < DATEADD('day', -2, CURRENT_TIMESTAMP())`,
  );
  for (const { NAME } of stale) attempt(snowflake, `DROP TABLE IF EXISTS ${qualifiedName('FIRN', String(NAME))}`);
}
