import type { Plan } from '../../core/plan/plan.js';
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

export function insertResult(snowflake: Snowflake, row: Row): void {
  query(
    snowflake,
    `INSERT INTO FIRN.RUN_RESULTS (${resultColumns.join(', ')}, at) SELECT ${resultColumns.map(() => '?').join(', ')}, SYSDATE()`,
    resultColumns.map((name) => row[name] as Bind),
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
