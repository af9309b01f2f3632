import type { StoredSource } from './diff.js';
import { configKey, type TableConfig } from './schema.js';

/** Runs one statement in Snowflake with bound values; rows by column name in upper case. */
export type Query = (sql: string, binds: string[]) => Promise<Record<string, unknown>[]>;

/** A row of FIRN.TABLE_CONFIGS, which only ever grows: the row with the greatest version counts. */
interface ConfigRow {
  source: string;
  database: string;
  table_name: string;
  version: number;
  config: TableConfig | null;
  deleted: boolean;
}

const latest = `
SELECT source AS "SOURCE", database AS "DATABASE", table_name AS "TABLE_NAME", version AS "VERSION", deleted AS "DELETED"
FROM firn.table_configs
QUALIFY row_number() OVER (PARTITION BY source, database, table_name ORDER BY version DESC) = 1`;

/** One statement for all rows: a bound JSON list. */
const insert = `
INSERT INTO firn.table_configs (source, database, table_name, version, config, deleted)
SELECT r.value:source::VARCHAR, r.value:database::VARCHAR, r.value:table_name::VARCHAR, r.value:version::NUMBER, r.value:config, r.value:deleted::BOOLEAN
FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) r`;

/** Inserts into FIRN.TABLE_CONFIGS what DynamoDB holds in a newer version, and marks the tables that are gone. @returns how many rows */
export async function recordConfigs(query: Query, stored: Map<string, StoredSource>): Promise<number> {
  const rows = missingRows(stored, await query(latest, []));
  if (rows.length > 0) await query(insert, [JSON.stringify(rows)]);
  return rows.length;
}

function missingRows(stored: Map<string, StoredSource>, recorded: Record<string, unknown>[]): ConfigRow[] {
  const name = (source: unknown, database: unknown, table: unknown) => `${source}#${database}#${table}`;
  const versions = new Map(
    recorded.map((row) => [name(row.SOURCE, row.DATABASE, row.TABLE_NAME), row.DELETED === true ? -1 : Number(row.VERSION)]),
  );
  const rows: ConfigRow[] = [];
  for (const { settings, tables } of stored.values()) {
    const { source, database } = settings;
    for (const [table_name, { config, version }] of tables) {
      if ((versions.get(name(source, database, table_name)) ?? -1) < version) {
        rows.push({ source, database, table_name, version, config, deleted: false });
      }
    }
  }
  for (const { SOURCE, DATABASE, TABLE_NAME, DELETED } of recorded) {
    const [source, database, table_name] = [String(SOURCE), String(DATABASE), String(TABLE_NAME)];
    const holder = stored.get(configKey(source, database));
    if (DELETED !== true && holder && !holder.tables.has(table_name)) {
      rows.push({ source, database, table_name, version: holder.version, config: null, deleted: true });
    }
  }
  return rows;
}
