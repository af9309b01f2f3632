import type { Column } from '../../../core/column.js';
import { queryOrder } from '../../../core/column.js';
import type { Plan } from '../../../core/plan/plan.js';
import { qualifiedName, quoteIdentifier } from '../../../core/warehouse/identifiers.js';
import type { Row, Warehouse } from '../../../core/warehouse/snowflake.js';

export function column(target: string, type: string, more: Partial<Column> = {}): Column {
  return {
    name: target.toLowerCase(),
    target,
    sourceType: type,
    nullable: true,
    parquet: { kind: 'string' },
    raw: type,
    staging: type,
    convert: 'none',
    ...more,
  };
}

export const id = column('ID', 'NUMBER(38,0)', { nullable: false });
export const note = column('NOTE', 'VARCHAR');
export const json = column('DETAILS', 'VARCHAR', { staging: 'VARIANT', convert: 'parse_json' });

/** Differs from a plan of the planner by what a test is about. */
export interface PlanChanges extends Partial<Omit<Plan, 'run' | 'deletes'>> {
  deletes?: Partial<Plan['deletes']>;
}

let made = 0;

/** A run of a table, full and with deletes unless told otherwise. `fence` counts the runs. */
export function planOf(table: string, fence: number, changes: PlanChanges = {}): Plan {
  made += 1;
  const name = table.toUpperCase();
  const runId = `01JC${String(made).padStart(22, '0')}`;
  return {
    run: { runId, source: 'PostgreSQL', database: 'clr', table },
    sourceType: 'postgres',
    relation: { schema: 'public', table },
    mode: 'full',
    loader: 'pipe',
    columns: [id, note],
    primaryKey: ['ID'],
    rowFilter: null,
    cursor: null,
    chunks: [{ number: 0, column: null, from: null, to: null }],
    prefix: `PostgreSQL/clr/${table}/2025-11-05/12/`,
    order: queryOrder(fence),
    baseVersion: fence - 1,
    configVersion: 1,
    watermarkBefore: null,
    watermarkAfter: null,
    target: { rawSchema: 'RAW_CLR', rawTable: name, stagingSchema: 'STAGING_CLR', stagingTable: name, warehouse: null },
    warnings: [],
    plannedAt: '2025-11-05T12:00:00Z',
    ...changes,
    deletes: { detect: true, how: 'hard', maxFraction: 0.5, ...changes.deletes },
  };
}

export type Value = string | number | null;

export const prepare = async (warehouse: Warehouse, plan: Plan, fence: number): Promise<Row> =>
  (await call(warehouse, 'CALL FIRN.PREPARE_TABLE(?, ?)', [JSON.stringify(plan), fence])) as Row;

export const process = async (warehouse: Warehouse, plan: Plan, fence: number): Promise<Row> =>
  (await call(warehouse, 'CALL FIRN.PROCESS_TABLE(?, ?)', [plan.run.runId, fence])) as Row;

/** What a procedure answers: the one column of its one row. */
export async function call(warehouse: Warehouse, sql: string, binds: Value[] = []): Promise<unknown> {
  const [row] = await warehouse.query(sql, binds);
  return Object.values(row ?? {})[0];
}

/** Puts rows into raw as the pipe would: values in the order of the plan's columns. `op` K: only those of the key. */
export async function load(
  warehouse: Warehouse,
  plan: Plan,
  rows: Value[][],
  { order = plan.order, file = `${plan.run.runId}.parquet`, op = 'R', firstRow = 1 } = {},
) {
  if (rows.length === 0) return;
  const columns = op === 'K' ? plan.columns.filter(({ target }) => plan.primaryKey.includes(target)) : plan.columns;
  const names = [...columns.map(({ target }) => target), '_FIRN_RUN', '_FIRN_OP', '_FIRN_ORDER', '_FIRN_FILE', '_FIRN_ROW'];
  const select = `SELECT ${columns.map(({ raw }) => `CAST(? AS ${raw})`).join(', ')}, CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS NUMBER)`;
  await warehouse.query(
    `INSERT INTO ${qualifiedName(plan.target.rawSchema, plan.target.rawTable)} (${names.map(quoteIdentifier).join(', ')})
${rows.map(() => select).join('\nUNION ALL\n')}`,
    rows.flatMap((row, i) => [...row, plan.run.runId, op, order, file, firstRow + i]),
  );
}

/** Registers files with the rows that raw has of them. */
export async function seal(warehouse: Warehouse, plan: Plan, files = [`${plan.run.runId}.parquet`]): Promise<void> {
  const { runId, source, database, table } = plan.run;
  for (const file of files) {
    await warehouse.query(
      `INSERT INTO FIRN.RUN_FILES (run_id, source, database, table_name, file, row_count, byte_count)
SELECT CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), COUNT(DISTINCT r."_FIRN_ROW"), 0
FROM ${qualifiedName(plan.target.rawSchema, plan.target.rawTable)} AS r WHERE r."_FIRN_RUN" = ? AND r."_FIRN_FILE" = ?`,
      [runId, source, database, table, file, runId, file],
    );
  }
}

/** A whole run: answers the counts of PROCESS_TABLE. `keys`: the keys of all rows, where the run reads them. */
export async function ingest(warehouse: Warehouse, plan: Plan, fence: number, rows: Value[][], keys: Value[][] = []): Promise<Row> {
  const [file, keyFile] = [`${plan.run.runId}.parquet`, `${plan.run.runId}-keys.parquet`];
  await prepare(warehouse, plan, fence);
  await load(warehouse, plan, rows, { file });
  await load(warehouse, plan, keys, { file: keyFile, op: 'K' });
  await seal(warehouse, plan, [file, keyFile]);
  return process(warehouse, plan, fence);
}

/** Rows of staging by the plan's columns, sorted. */
export async function staged(warehouse: Warehouse, plan: Plan, more: string[] = []): Promise<unknown[][]> {
  const names = [...plan.columns.map(({ target }) => target), ...more].map(quoteIdentifier).join(', ');
  const rows = await warehouse.query(`SELECT ${names} FROM ${qualifiedName(plan.target.stagingSchema, plan.target.stagingTable)}`);
  return rows.map((row) => Object.values(row)).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** inserted, updated, unchanged, superseded, deleted */
export const counted = (row: Row): unknown[] => [
  row.rows_inserted,
  row.rows_updated,
  row.rows_unchanged,
  row.rows_superseded,
  row.rows_deleted,
];
