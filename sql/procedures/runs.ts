import type { Plan } from '../../core/plan/plan.js';
import { stagingTable } from '../../core/warehouse/merge-plan.js';
import { type Bind, fail, query, type Row, type Snowflake } from './session.js';

/** What the bookkeeping tables say about runs. All of them are insert-only. */

export type TableRef = Pick<Plan['run'], 'source' | 'database' | 'table'>;

const ofTable = 'source = ? AND database = ? AND table_name = ?';
const bindsOf = (ref: TableRef): Bind[] => [ref.source, ref.database, ref.table];

/** The plan with which PREPARE_TABLE prepared the run. */
export function planOf(snowflake: Snowflake, runId: string): Plan {
  const [row] = query(
    snowflake,
    `SELECT detail AS DETAIL FROM FIRN.RUN_EVENTS WHERE run_id = ? AND event = 'PREPARED' ORDER BY fence DESC, at DESC LIMIT 1`,
    [runId],
  );
  if (!row) fail('RunNotFound', `run ${runId} has not been prepared in this database`);
  return (row.DETAIL as { plan: Plan }).plan;
}

/** The plan, as it was prepared, of the run that was merged last; null when none was. */
export function lastMergedPlan(snowflake: Snowflake, ref: TableRef): Plan | null {
  const [row] = query(
    snowflake,
    `SELECT e.detail AS DETAIL FROM FIRN.RUN_EVENTS AS e
INNER JOIN FIRN.RUN_RESULTS AS r ON r.run_id = e.run_id
WHERE e.source = ? AND e.database = ? AND e.table_name = ? AND e.event = 'PREPARED'
ORDER BY r.fence DESC, e.fence DESC, e.at DESC LIMIT 1`,
    bindsOf(ref),
  );
  return row ? (row.DETAIL as { plan: Plan }).plan : null;
}

/** Whether another run has taken over the table since the claim with this fence. */
export function isFencedOff(snowflake: Snowflake, ref: TableRef, fence: number): boolean {
  return greatestFence(snowflake, ref) > fence;
}

export function greatestFence(snowflake: Snowflake, ref: TableRef): number {
  const [row] = query(snowflake, `SELECT COALESCE(MAX(fence), 0) AS FENCE FROM FIRN.RUN_EVENTS WHERE ${ofTable}`, bindsOf(ref));
  return Number(row?.FENCE);
}

const resultColumns = [
  'run_id',
  'source',
  'database',
  'table_name',
  'staging',
  'fence',
  'rows_loaded',
  'rows_merged',
  'rows_inserted',
  'rows_updated',
  'rows_unchanged',
  'rows_superseded',
  'rows_deleted',
];

/** The RUN_RESULTS row, or null while the run has not been merged. */
export function resultOf(snowflake: Snowflake, runId: string): Row | null {
  const columns = resultColumns.map((name) => `${name} AS "${name}"`).join(', ');
  const [row] = query(snowflake, `SELECT ${columns} FROM FIRN.RUN_RESULTS WHERE run_id = ? ORDER BY at LIMIT 1`, [runId]);
  return row ?? null;
}

/** `order`: the `_FIRN_ORDER` of the run's rows; null for a merge of several runs. */
export function insertResult(snowflake: Snowflake, row: Row, order: string | null): void {
  query(
    snowflake,
    `INSERT INTO FIRN.RUN_RESULTS (${resultColumns.join(', ')}, row_order, at) SELECT ${resultColumns.map(() => '?').join(', ')}, CAST(? AS VARCHAR), SYSDATE()`,
    [...resultColumns.map((name) => row[name] as Bind), order],
  );
}

/**
 * Whether a run that read later has been merged, with or without committing: these rows would bring back what it has deleted, and overwrite
 * rows that it found unchanged, which keep their order.
 */
export function isOutrun(snowflake: Snowflake, plan: Pick<Plan, 'run' | 'order'>): boolean {
  const [newer] = query(snowflake, `SELECT run_id AS RUN_ID FROM FIRN.RUN_RESULTS WHERE ${ofTable} AND row_order > ? LIMIT 1`, [
    ...bindsOf(plan.run),
    plan.order,
  ]);
  return newer !== undefined;
}

/** Another table of the configuration that was merged into the same table of staging, the last one; null: there is none. */
export function formerOwner(snowflake: Snowflake, plan: Plan): TableRef | null {
  const [row] = query(
    snowflake,
    `SELECT source AS SOURCE, database AS DB, table_name AS NAME FROM FIRN.RUN_RESULTS WHERE staging = ? AND NOT (${ofTable}) ORDER BY at DESC LIMIT 1`,
    [stagingTable(plan), ...bindsOf(plan.run)],
  );
  return row ? { source: String(row.SOURCE), database: String(row.DB), table: String(row.NAME) } : null;
}

/** Writes down that the claim with this fence merges the run, unless Prepare did. */
export function recordFence(snowflake: Snowflake, runId: string, fence: number): void {
  query(
    snowflake,
    `INSERT INTO FIRN.RUN_EVENTS (run_id, source, database, table_name, event, fence, at, detail)
SELECT e.run_id, e.source, e.database, e.table_name, e.event, ?, SYSDATE(), e.detail
FROM FIRN.RUN_EVENTS AS e
WHERE e.run_id = ? AND e.event = 'PREPARED'
  AND NOT EXISTS (SELECT 1 FROM FIRN.RUN_EVENTS AS held WHERE held.run_id = ? AND held.event = 'PREPARED' AND held.fence >= ?)
QUALIFY ROW_NUMBER() OVER (ORDER BY e.fence DESC, e.at DESC) = 1`,
    [fence, runId, runId, fence],
  );
}

/** Merged runs of the table, the oldest first: run id and plan. */
export function mergedRuns(snowflake: Snowflake, ref: TableRef): Plan[] {
  const rows = query(
    snowflake,
    `SELECT detail AS DETAIL FROM FIRN.RUN_EVENTS AS e
WHERE e.source = ? AND e.database = ? AND e.table_name = ? AND e.event = 'PREPARED'
  AND EXISTS (SELECT 1 FROM FIRN.RUN_RESULTS AS r WHERE r.run_id = e.run_id)
QUALIFY ROW_NUMBER() OVER (PARTITION BY e.run_id ORDER BY e.fence DESC, e.at DESC) = 1`,
    bindsOf(ref),
  );
  return rows.map(({ DETAIL }) => (DETAIL as { plan: Plan }).plan).sort((a, b) => (a.order < b.order ? -1 : 1));
}
