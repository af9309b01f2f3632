import { FirnError } from '../errors.js';
import { failpoint } from '../failpoints.js';
import type { RunRef } from '../plan/plan.js';
import { receiptOf } from '../receipt/from-run.js';
import type { Receipt } from '../receipt/receipt.js';
import { readRun } from '../state/runs.js';
import type { RuntimeState } from '../state/runtime-state.js';
import type { Warehouse } from '../warehouse/snowflake.js';

/** Record: how the run has ended, into FIRN.RUN_EVENTS. A second call for the same end inserts nothing. */
export async function recordRun(state: RuntimeState, bucket: string, warehouse: Warehouse, run: RunRef): Promise<void> {
  const record = await readRun(state, run.runId);
  if (!record) throw new FirnError('Internal', `Run ${run.runId} has no record.`);
  // It runs again: its end comes later.
  if (record.status === 'RUNNING') return;
  await insertEvent(warehouse, receiptOf(record, { joined: false, bucket }));
  await failpoint('recorded');
}

/** A call that was refused before it became a run. */
export type Rejection = Pick<Receipt, 'run_id' | 'finished_at' | 'error'> & Record<'source' | 'database' | 'table', string | null>;

export async function recordRejection(warehouse: Warehouse, rejection: Rejection): Promise<void> {
  await insertEvent(warehouse, { ...rejection, status: 'REJECTED' });
}

/** The run's fence is that of its PREPARED event: an end claims nothing. A run that fails twice ends at two times. */
async function insertEvent(warehouse: Warehouse, receipt: Rejection & { status: string }): Promise<void> {
  const { run_id, status, source, database, table, finished_at } = receipt;
  await warehouse.query(
    `INSERT INTO FIRN.RUN_EVENTS (run_id, source, database, table_name, event, fence, at, detail)
SELECT CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR),
  (SELECT MAX(own.fence) FROM FIRN.RUN_EVENTS AS own WHERE own.run_id = ?), SYSDATE(), PARSE_JSON(?)
WHERE NOT EXISTS (
  SELECT 1 FROM FIRN.RUN_EVENTS AS held WHERE held.run_id = ? AND held.event = ? AND held.detail:finished_at::VARCHAR = ?
)`,
    [run_id, source, database, table, status, run_id, JSON.stringify(receipt), run_id, status, finished_at ?? ''],
  );
}
