import { z } from 'zod';
import { FirnError } from '../../core/errors.js';
import { placedPlan } from '../../core/plan/placed-plan.js';
import { type Plan, type RunRef, runRefSchema } from '../../core/plan/plan.js';
import { readPlan } from '../../core/raw-bucket/run-documents.js';
import { reacquire } from '../../core/state/claim.js';
import { acquirePermit } from '../../core/state/permits.js';
import { readRun } from '../../core/state/runs.js';
import { readConfiguredTable } from '../../core/state/table-configs.js';
import { readProgress } from '../../core/workflow/chunk-parts.js';
import { chunkOf, extractChunk } from '../../core/workflow/extract-chunk.js';
import { documents, environment, rawBucket, runtimeState } from '../clients.js';
import { readSourceSecret } from '../source-session.js';
import { step } from '../step.js';

const eventSchema = z.object({ action: z.literal('extract'), run: runRefSchema, chunk: z.int().min(0) });

/** What the query's cancelling and the log need at the end. */
const reserve = 20_000;

export const handler = step('extract', eventSchema, async ({ run, chunk }, log, context) => {
  const [state, raw] = [runtimeState(), rawBucket()];
  const planned = await readPlan(raw, run.runId);
  await reacquire(state, run, planned.baseVersion);
  const progress = await readProgress(raw, run.runId, chunkOf(planned, chunk));
  if (progress.rest === null) return { done: true };
  const plan = placedPlan(planned, (await readRun(state, run.runId))?.prepared?.targets ?? {});
  const { source } = await readConfiguredTable({ documents, table: environment('TABLE_CONFIG') }, run);
  // Acquire took one; a redrive may find it given away.
  if (!(await acquirePermit(state, run, source.permits))) {
    throw new FirnError('PermitUnavailable', `All ${source.permits} permits of ${run.source}.${run.database} are taken.`);
  }
  const limit = new AbortController();
  const left = Math.max(0, context.getRemainingTimeInMillis() - reserve);
  const timer = setTimeout(() => limit.abort(outOfTime(run, plan, chunk)), left);
  try {
    const connection = await readSourceSecret(source);
    const until = Date.now() + left;
    const part = await extractChunk({ run, plan, raw, connection, log, signal: limit.signal, until }, chunk, progress);
    return { done: part.rest === undefined };
  } finally {
    clearTimeout(timer);
  }
});

function outOfTime({ table }: RunRef, { engine }: Plan, chunk: number): FirnError {
  const what = `Chunk ${chunk} of ${table} could not be read within the function's time`;
  return engine?.movable
    ? new FirnError('ChunkTooLarge', `${what}: what is left of the table goes to Glue.`)
    : new FirnError('TimedOut', `${what}: set partition_column, or engine: auto where there is Glue.`);
}
