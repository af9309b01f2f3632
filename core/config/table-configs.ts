import type { StoredSource } from './diff.js';
import { configKey, type TableConfig } from './schema.js';

/** Runs one statement in Snowflake with bound values; rows by column name in upper case. */
export type Query = (sql: string, binds: string[]) => Promise<Record<string, unknown>[]>;

/** The latest row of FIRN.TABLE_CONFIGS about a table. */
export interface RecordedConfig {
  source: string;
  database: string;
  table: string;
  version: number;
  /** Taken out of the configuration. */
  deleted: boolean;
}

/** FIRN.TABLE_CONFIGS only ever grows: the row with the greatest version counts. */
const latest = `
SELECT source AS "SOURCE", database AS "DATABASE", table_name AS "TABLE_NAME", version AS "VERSION", config IS NULL AS "DELETED"
FROM FIRN.TABLE_CONFIGS
QUALIFY ROW_NUMBER() OVER (PARTITION BY source, database, table_name ORDER BY version DESC, pushed_at DESC) = 1`;

/** One statement for all rows: a bound JSON list. */
const insert = `
INSERT INTO FIRN.TABLE_CONFIGS (source, database, table_name, version, config, pushed_at)
SELECT
  r.value:source::VARCHAR, r.value:database::VARCHAR, r.value:table_name::VARCHAR, r.value:version::NUMBER, r.value:config, SYSDATE()
FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS r`;

export async function readRecorded(query: Query): Promise<RecordedConfig[]> {
  const rows = await query(latest, []);
  return rows.map(({ SOURCE, DATABASE, TABLE_NAME, VERSION, DELETED }) => ({
    source: String(SOURCE),
    database: String(DATABASE),
    table: String(TABLE_NAME),
    version: Number(VERSION),
    deleted: DELETED === true,
  }));
}

/** Inserts what DynamoDB holds in a newer version, and a row without `config` for each table that is gone. @returns how many rows */
export async function recordConfigs(query: Query, recorded: RecordedConfig[], stored: Map<string, StoredSource>): Promise<number> {
  const rows = [...newer(recorded, stored), ...gone(recorded, stored)];
  if (rows.length > 0) await query(insert, [JSON.stringify(rows)]);
  return rows.length;
}

interface NewRow {
  source: string;
  database: string;
  table_name: string;
  version: number;
  /** Left out: the column stays NULL. */
  config?: TableConfig;
}

function newer(recorded: RecordedConfig[], stored: Map<string, StoredSource>): NewRow[] {
  const name = (source: string, database: string, table: string) => `${configKey(source, database)}#${table}`;
  const live = recorded.filter(({ deleted }) => !deleted);
  const versions = new Map(live.map(({ source, database, table, version }) => [name(source, database, table), version]));
  return [...stored.values()].flatMap(({ settings: { source, database }, tables }) =>
    [...tables]
      .filter(([table, { version }]) => (versions.get(name(source, database, table)) ?? 0) < version)
      .map(([table, { config, version }]) => ({ source, database, table_name: table, version, config })),
  );
}

function gone(recorded: RecordedConfig[], stored: Map<string, StoredSource>): NewRow[] {
  return recorded.flatMap(({ source, database, table, deleted }) => {
    const holder = stored.get(configKey(source, database));
    return deleted || !holder || holder.tables.has(table) ? [] : [{ source, database, table_name: table, version: holder.version }];
  });
}
