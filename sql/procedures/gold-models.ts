import { qualifiedName } from '../../core/warehouse/identifiers.js';
import { query, type Row, type Snowflake } from './session.js';

export interface Model {
  name: string;
  kind: string;
  key: string[];
  reads: string[];
  query: string;
  checksum: string;
}

/** Input → the run that last changed it, or the build of the model that it is. */
export type Versions = Record<string, string>;

/** Deployed models, each after those that it reads. Models of a circle come last. */
export function deployedModels(snowflake: Snowflake): Model[] {
  const rows = query(
    snowflake,
    `SELECT model AS MODEL, kind AS KIND, key_columns AS KEY_COLUMNS, reads AS READS, query AS QUERY, checksum AS CHECKSUM
FROM FIRN.GOLD_MODELS
QUALIFY ROW_NUMBER() OVER (PARTITION BY model ORDER BY deployed_at DESC) = 1`,
  );
  const models = rows
    .filter(({ QUERY }) => QUERY !== null)
    .map((row) => ({
      name: String(row.MODEL),
      kind: String(row.KIND),
      key: row.KEY_COLUMNS as string[],
      reads: row.READS as string[],
      query: String(row.QUERY),
      checksum: String(row.CHECKSUM),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return sortByReads(models);
}

export function sortByReads<T extends { name: string; reads: string[] }>(models: T[]): T[] {
  const sorted: T[] = [];
  let waiting = models;
  while (waiting.length > 0) {
    const ready = waiting.filter(
      ({ name, reads }) => !waiting.some((other) => other.name !== name && reads.includes(`GOLD.${other.name}`)),
    );
    if (ready.length === 0) return sorted.concat(waiting);
    sorted.push(...ready);
    waiting = waiting.filter((model) => !ready.includes(model));
  }
  return sorted;
}

/** Model → its last good build. */
export function lastBuilds(snowflake: Snowflake): Record<string, { buildId: string; checksum: string; inputs: Versions }> {
  const rows = query(
    snowflake,
    `SELECT model AS MODEL, build_id AS BUILD_ID, checksum AS CHECKSUM, inputs AS INPUTS
FROM FIRN.GOLD_BUILDS WHERE status = 'BUILT'
QUALIFY ROW_NUMBER() OVER (PARTITION BY model ORDER BY finished_at DESC) = 1`,
  );
  return byName(rows, 'MODEL', (row) => ({
    buildId: String(row.BUILD_ID),
    checksum: String(row.CHECKSUM),
    inputs: (row.INPUTS ?? {}) as Versions,
  }));
}

/** Quoted name of a staging table → the last run that changed rows of it. */
export function lastChanges(snowflake: Snowflake): Versions {
  const rows = query(
    snowflake,
    `SELECT staging AS STAGING, run_id AS RUN_ID FROM FIRN.RUN_RESULTS
WHERE rows_inserted + rows_updated + rows_deleted > 0
QUALIFY ROW_NUMBER() OVER (PARTITION BY staging ORDER BY at DESC) = 1`,
  );
  return byName(rows, 'STAGING', ({ RUN_ID }) => String(RUN_ID));
}

/** Quoted names of the tables and views that exist. */
export function existingTables(snowflake: Snowflake): string[] {
  const rows = query(snowflake, `SELECT table_schema AS TABLE_SCHEMA, table_name AS TABLE_NAME FROM INFORMATION_SCHEMA.TABLES`);
  return rows.map((row) => qualifiedName(String(row.TABLE_SCHEMA), String(row.TABLE_NAME)));
}

/** `GOLD.FCT_ORDERS` → `"GOLD"."FCT_ORDERS"`. */
export const quotedInput = (input: string): string => qualifiedName(...input.split('.'));

function byName<T>(rows: Row[], column: string, value: (row: Row) => T): Record<string, T> {
  const found: Record<string, T> = {};
  for (const row of rows) found[String(row[column])] = value(row);
  return found;
}
