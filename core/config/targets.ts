import { committedView, rawSchema, stagingSchema, targetTable } from '../warehouse/identifiers.js';
import type { TableConfig } from './schema.js';

/** Where a table stands in Snowflake. Names are exact: quote them wherever they stand in SQL. */
export interface TargetNames {
  rawSchema: string;
  rawTable: string;
  stagingSchema: string;
  stagingTable: string;
  /** Warehouse for this table's statements; null: the one of Firn's secret. */
  warehouse: string | null;
}

/** Schemas `RAW_<DATABASE>` and `STAGING_<DATABASE>`, or `RAW_<target.schema>` …; the table in upper case (`sales.orders` → SALES_ORDERS), or `target.table` exactly. */
export function targetOf(database: string, config: Pick<TableConfig, 'table' | 'target'>): TargetNames {
  const schema = config.target?.schema ?? database;
  const table = config.target?.table ?? targetTable(config.table);
  return {
    rawSchema: rawSchema(schema),
    rawTable: table,
    stagingSchema: stagingSchema(schema),
    stagingTable: table,
    warehouse: config.target?.warehouse ?? null,
  };
}

/** Name of a source's column in Snowflake: as renamed, else in upper case. */
export function columnTarget(config: Pick<TableConfig, 'columns'>, column: string): string {
  return config.columns?.rename?.[column] ?? column.toUpperCase();
}

/** Names that Firn makes for one table in its raw schema: they share a namespace with the other tables' names. */
export function rawNames(target: TargetNames): string[] {
  return [target.rawTable, committedView(target.rawTable)];
}
