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
  // Submitted twice at once, the procedure merges once: the second call answers the first one's result.
  const submitted = await warehouse.submit('CALL FIRN.PROCESS_TABLE(?, ?)', [run.runId, fence]);
  await failpoint('merge_submitted');
  const queryId = await rememberQuery(state, run.runId, purpose, submitted);
  await failpoint('submitted');
  log.info({ query_id: queryId }, 'submitted');
  return { queryId };
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
    throw new FirnError(
      'Superseded',
      `Run ${run.runId} of ${run.table} was not merged: a newer run has claimed the table, or was merged before.`,
    );
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
