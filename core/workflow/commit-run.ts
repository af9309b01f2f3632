import { errorRecord, FirnError } from '../errors.js';
import { failpoint } from '../failpoints.js';
import { measuredRate } from '../plan/engine.js';
import { manifestSchema } from '../plan/manifest.js';
import { planSchema, type RunRef } from '../plan/plan.js';
import { manifestKey, planKey } from '../raw-bucket/layout.js';
import { type RawBucket, readJson } from '../raw-bucket/objects.js';
import { committedReceipt } from '../receipt/committed.js';
import { abandonTable, commitTable } from '../state/claim.js';
import type { Executions } from '../state/executions.js';
import { ensureGoldRuns, markDirty } from '../state/gold.js';
import { releasePermit } from '../state/permits.js';
import { finishRun, readRun } from '../state/runs.js';
import type { RuntimeState } from '../state/runtime-state.js';

/**
 * Ends a run whose rows are in staging: commits its watermark, writes its receipt, and has gold rebuilt if rows have changed.
 * Each part may be done twice, so the step may die anywhere and be run again.
 * @throws FirnError Superseded when the table has gone on without this run
 */
export async function commitRun(state: RuntimeState, raw: RawBucket, gold: Executions, run: RunRef): Promise<void> {
  const [plan, manifest, record] = await Promise.all([
    readJson(raw, planKey(run.runId), planSchema),
    readJson(raw, manifestKey(run.runId), manifestSchema),
    readRun(state, run.runId),
  ]);
  if (!plan || !manifest || !record?.result) {
    throw new FirnError('Internal', `Run ${run.runId} comes to its commit without a plan, a manifest or the counts of its rows.`);
  }
  const { result } = record;
  await commitTable(state, run, plan, manifest.lambda ? measuredRate(manifest.lambda.rows, manifest.lambda.seconds) : null);
  await failpoint('watermark_committed');
  // Before the record says that all is done: who dies here runs this step again.
  if (plan.afterRun !== 'none' && result.rows_inserted + result.rows_updated + result.rows_deleted > 0) {
    await markDirty(state, run, plan.afterRun === 'dbt');
    await failpoint('gold_marked');
    await ensureGoldRuns(state, gold);
  }
  await releasePermit(state, run);
  await failpoint('permit_released');
  const receipt = committedReceipt(plan, manifest, result, record.prepared?.notes);
  await finishRun(state, run.runId, { status: 'SUCCEEDED', finishedAt: new Date().toISOString(), error: null, receipt });
  await failpoint('receipt_written');
}

/** Ends a run that has nothing left to do. It gives up only what is its own. */
export async function supersedeRun(state: RuntimeState, run: RunRef): Promise<void> {
  const gaveUp = await abandonTable(state, run);
  await releasePermit(state, run);
  if (!gaveUp) return;
  const error = errorRecord('Superseded', `Another run of ${run.source}.${run.database}.${run.table} took the place of run ${run.runId}.`);
  await finishRun(state, run.runId, { status: 'SUPERSEDED', finishedAt: new Date().toISOString(), error });
}
