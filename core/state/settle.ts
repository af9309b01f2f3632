import { failureOf } from '../receipt/failure.js';
import { finishRun, type RunRecord, readRun, reopenRun } from './runs.js';
import type { RuntimeState } from './runtime-state.js';

/**
 * Brings a run's record in line with what Step Functions says of its execution: an event may have been lost, or somebody pressed Redrive.
 * A run that was claimed for and never started is started.
 * @returns the record as it stands now
 */
export async function settleRun(state: RuntimeState, record: RunRecord): Promise<RunRecord> {
  const { run, status, executionArn } = record;
  if (executionArn === null || (status !== 'RUNNING' && status !== 'FAILED')) return record;
  const execution = await state.executions.describe(executionArn);
  if (execution.liveness === 'alive' && status === 'FAILED') await reopenRun(state, run.runId, null);
  else if (execution.liveness === 'missing' && status === 'RUNNING') await state.executions.start(run.runId, run);
  else if (execution.liveness === 'failed' && status === 'RUNNING') {
    const error = failureOf(execution, record.lastError);
    await finishRun(state, run.runId, { status: 'FAILED', finishedAt: new Date().toISOString(), error });
  } else return record;
  return (await readRun(state, run.runId)) ?? record;
}
