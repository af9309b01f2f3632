import { z } from 'zod';
import { FirnError } from '../../core/errors.js';
import { placedPlan } from '../../core/plan/placed-plan.js';
import { runRefSchema } from '../../core/plan/plan.js';
import { readPlan } from '../../core/raw-bucket/run-documents.js';
import { reacquire } from '../../core/state/claim.js';
import { acquirePermit } from '../../core/state/permits.js';
import { readRun } from '../../core/state/runs.js';
import { readConfiguredTable } from '../../core/state/table-configs.js';
import { extractChunk, readPart } from '../../core/workflow/extract-chunk.js';
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
  if (await readPart(raw, run, chunk)) return {};
  const plan = placedPlan(planned, (await readRun(state, run.runId))?.prepared?.targets ?? {});
  const { source } = await readConfiguredTable({ documents, table: environment('TABLE_CONFIG') }, run);
  // Acquire took one; a redrive may find it given away.
  if (!(await acquirePermit(state, run, source.permits))) {
    throw new FirnError('PermitUnavailable', `All ${source.permits} permits of ${run.source}.${run.database} are taken.`);
  }
  const limit = new AbortController();
  const timer = setTimeout(
    () =>
      limit.abort(
        new FirnError('TimedOut', `Chunk ${chunk} of ${run.table} could not be read within the function's time: read it in more chunks.`),
      ),
    Math.max(0, context.getRemainingTimeInMillis() - reserve),
  );
  try {
    await extractChunk({ run, plan, raw, connection: await readSourceSecret(source), log, signal: limit.signal }, chunk);
  } finally {
    clearTimeout(timer);
  }
  return {};
});
