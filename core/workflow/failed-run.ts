import * as z from 'zod';
import type { Functions } from '../invocation.js';
import type { RunLog } from '../log.js';
import { type RunRef, runRefSchema } from '../plan/plan.js';
import { failureOf } from '../receipt/failure.js';
import { receiptOf } from '../receipt/from-run.js';
import type { Receipt } from '../receipt/receipt.js';
import { claimPublication, releasePublication } from '../state/publications.js';
import { createRun, finishRun, readRun } from '../state/runs.js';
import type { RuntimeState } from '../state/runtime-state.js';
import { settleRun } from '../state/settle.js';

/** EventBridge, source `aws.states`, detail type `Step Functions Execution Status Change`: the part that is read. */
export const executionEndedSchema = z.object({
  detail: z.object({ executionArn: z.string(), name: z.string(), status: z.string(), input: z.string().nullish() }),
});
export type ExecutionEnded = z.infer<typeof executionEndedSchema>;

export interface FailureReporting {
  state: RuntimeState;
  bucket: string;
  functions: Functions;
  /** Name of the function `warehouse`. */
  warehouse: string;
  publish(subject: string, receipt: Receipt): Promise<void>;
  log: RunLog;
}

/**
 * Records a run that failed and tells whoever listens, once per attempt. Events come late, twice and out of order, so they only say
 * where to look: what has become of the execution, Step Functions says.
 */
export async function reportFailure(reporting: FailureReporting, run: RunRef, executionArn: string): Promise<void> {
  const { state, bucket, functions, warehouse, publish, log } = reporting;
  const execution = await state.executions.describe(executionArn);
  if (execution.liveness !== 'failed') {
    log.info({ execution_status: execution.status }, 'the execution has not failed, or runs again: nothing to report');
    return;
  }
  await createRun(state, { run, mode: null, executionArn });
  const known = (await readRun(state, run.runId))!;
  const error = failureOf(execution, known.lastError);
  // A second event of the same attempt finds the time at which the first one came.
  const finishedAt = known.status === 'FAILED' && known.finishedAt ? known.finishedAt : new Date().toISOString();
  if (!(await finishRun(state, run.runId, { status: 'FAILED', finishedAt, error }))) {
    log.info({ run_status: known.status }, 'the run is final already');
    // It has failed after its commit, perhaps before Snowflake was told.
    await functions.invokeLater(warehouse, { action: 'record', run });
    return;
  }
  // It may have been redriven meanwhile.
  const settled = await settleRun(state, { ...known, status: 'FAILED' });
  if (settled.status === 'RUNNING') return;
  log.error({ error, attempt: execution.redriveCount }, error.message);
  await functions.invokeLater(warehouse, { action: 'record', run });

  if (!(await claimPublication(state, run.runId, execution.redriveCount))) return;
  const receipt = receiptOf({ ...known, status: 'FAILED', finishedAt, error }, { joined: false, bucket });
  try {
    await publish(`Firn: ${run.source}.${run.database}.${run.table} failed: ${error.code}`, receipt);
  } catch (failed) {
    await releasePublication(state, run.runId, execution.redriveCount);
    throw failed;
  }
}

/** The run of an execution: its input says. Null when somebody else's execution ended. */
export function runOf({ detail }: ExecutionEnded): RunRef | null {
  try {
    const run = runRefSchema.parse(JSON.parse(detail.input ?? ''));
    return run.runId === detail.name ? run : null;
  } catch {
    return null;
  }
}
