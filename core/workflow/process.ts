import { fenceOfOrder } from '../column.js';
import { FirnError } from '../errors.js';
import { failpoint } from '../failpoints.js';
import { forgetQuery, type RunResult, readRun, rememberQuery } from '../state/runs.js';
import type { Warehouse } from '../warehouse/snowflake.js';
import type { WarehouseStep } from './warehouse-step.js';

const purpose = 'process';

/** Process: submits the MERGE, or answers the query that was submitted before. */
export async function submitProcess(step: WarehouseStep): Promise<{ queryId: string }> {
  const { run, fence, state, warehouse, log } = step;
  const known = (await readRun(state, run.runId))?.queryIds[purpose];
  if (known) return { queryId: known };
  await refuseOlderRows(step);
  // Submitted twice at once, the procedure merges once: the second call answers the first one's result.
  const submitted = await warehouse.submit('CALL FIRN.PROCESS_TABLE(?, ?)', [run.runId, fence]);
  await failpoint('merge_submitted');
  const queryId = await rememberQuery(state, run.runId, purpose, submitted);
  await failpoint('submitted');
  log.info({ query_id: queryId }, 'submitted');
  return { queryId };
}

/**
 * A run that failed, lost its table to a newer one and was redriven: when that one has merged, even without committing, these rows are the
 * older ones, and would bring back what it has deleted.
 */
async function refuseOlderRows({ run, plan, warehouse }: WarehouseStep): Promise<void> {
  const [newer] = await warehouse.query(
    `SELECT run_id AS RUN_ID FROM FIRN.RUN_RESULTS
WHERE source = ? AND database = ? AND table_name = ? AND run_id <> ? AND fence > ? LIMIT 1`,
    [run.source, run.database, run.table, run.runId, fenceOfOrder(plan.order)],
  );
  if (newer)
    throw new FirnError('Superseded', `Run ${run.runId} of ${run.table} read before run ${newer.RUN_ID}, which is merged already.`);
}

/**
 * AwaitProcess: whether the run is merged. RUN_RESULTS says so, whichever query did it.
 * A query that failed is forgotten before its error is thrown: a redrive comes back to this state alone, and submits anew.
 * @throws FirnError Superseded, and what the procedure throws
 */
export async function awaitProcess(step: WarehouseStep): Promise<{ done: boolean }> {
  const { run, state, warehouse } = step;
  if (await readResult(warehouse, run.runId)) return { done: true };
  const { queryId } = await submitProcess(step);
  const status = await warehouse.status(queryId);
  if (status === 'RUNNING') return { done: false };
  if (status === 'SUCCEEDED') {
    if (await readResult(warehouse, run.runId)) return { done: true };
    throw new FirnError('Superseded', `Run ${run.runId} of ${run.table} was not merged: a newer run has claimed the table.`);
  }
  await forgetQuery(state, run.runId, purpose, queryId);
  throw status.failed;
}

/** The run's row of RUN_RESULTS, null while it is not merged. */
export async function readResult(warehouse: Warehouse, runId: string): Promise<RunResult | null> {
  const [row] = await warehouse.query(
    `SELECT rows_loaded, rows_inserted, rows_updated, rows_unchanged, rows_superseded, rows_deleted
FROM FIRN.RUN_RESULTS WHERE run_id = ? ORDER BY at LIMIT 1`,
    [runId],
  );
  if (!row) return null;
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name.toLowerCase(), Number(value)])) as unknown as RunResult;
}
