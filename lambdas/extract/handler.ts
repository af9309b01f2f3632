import * as z from 'zod';
import type { SourceSettings } from '../../core/config/schema.js';
import { FirnError } from '../../core/errors.js';
import { glueJobRuns } from '../../core/glue/job-runs.js';
import type { RunLog } from '../../core/log.js';
import { placedPlan } from '../../core/plan/placed-plan.js';
import { type Plan, type RunRef, runRefSchema } from '../../core/plan/plan.js';
import { readPlan } from '../../core/raw-bucket/run-documents.js';
import { reacquire } from '../../core/state/claim.js';
import { acquirePermit } from '../../core/state/permits.js';
import { readRun } from '../../core/state/runs.js';
import { readConfiguredTable } from '../../core/state/table-configs.js';
import { readProgress } from '../../core/workflow/chunk-parts.js';
import { chunkOf, extractChunk } from '../../core/workflow/extract-chunk.js';
import { explainJob, prepareJob } from '../../core/workflow/extract-job.js';
import { documents, environment, glue, rawBucket, runtimeState } from '../clients.js';
import { readSourceSecret, sourceSecretName } from '../source-session.js';
import { type StepContext, step } from '../step.js';

const eventSchema = z.discriminatedUnion('action', [
  z.object({ action: z.literal('extract'), run: runRefSchema, chunk: z.int().min(0) }),
  z.object({ action: z.literal('prepare-job'), run: runRefSchema }),
  z.object({
    action: z.literal('explain-job'),
    run: runRefSchema,
    failure: z.object({ Error: z.string(), Cause: z.string().optional() }),
    preparedAt: z.string(),
  }),
]);
type Event = z.infer<typeof eventSchema>;

/** What the query's cancelling and the log need at the end. */
const reserve = 20_000;

export const handler = step('extract', eventSchema, async (event, log, context) => {
  switch (event.action) {
    case 'extract':
      return readChunk(event, log, context);
    case 'prepare-job': {
      const { plan, source } = await holdSource(event.run);
      const [connection, secret] = [await readSourceSecret(source), sourceSecretName(source)];
      return prepareJob({ plan, raw: rawBucket(), jobs: glueJobRuns(glue, environment('EXTRACT_JOB')), connection, secret, log });
    }
    case 'explain-job': {
      const { run, failure, preparedAt } = event;
      const retries = Number(environment('EXTRACT_JOB_RETRIES'));
      await explainJob({ runId: run.runId, failure, preparedAt, executions: runtimeState().executions, raw: rawBucket(), retries, log });
      return {};
    }
  }
});

async function readChunk({ run, chunk }: Extract<Event, { action: 'extract' }>, log: RunLog, context: StepContext) {
  const raw = rawBucket();
  const planned = await readPlan(raw, run.runId);
  const progress = await readProgress(raw, run.runId, chunkOf(planned, chunk));
  if (progress.rest === null) {
    await reacquire(runtimeState(), run, planned.baseVersion);
    return { done: true };
  }
  const { plan, source } = await holdSource(run);
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
}

/** The run's plan, once it is sure that the run still has its table, and a permit of the source. @throws FirnError Superseded, PermitUnavailable */
async function holdSource(run: RunRef): Promise<{ plan: Plan; source: SourceSettings }> {
  const state = runtimeState();
  const planned = await readPlan(rawBucket(), run.runId);
  await reacquire(state, run, planned.baseVersion);
  const plan = placedPlan(planned, (await readRun(state, run.runId))?.prepared?.targets ?? {});
  const { source } = await readConfiguredTable({ documents, table: environment('TABLE_CONFIG') }, run);
  // Acquire took one; a redrive may find it given away.
  if (!(await acquirePermit(state, run, source.permits))) {
    throw new FirnError('PermitUnavailable', `All ${source.permits} permits of ${run.source}.${run.database} are taken.`);
  }
  return { plan, source };
}

function outOfTime({ table }: RunRef, { engine }: Plan, chunk: number): FirnError {
  const what = `Chunk ${chunk} of ${table} could not be read within the function's time`;
  return engine?.movable
    ? new FirnError('ChunkTooLarge', `${what}: what is left of the table goes to Glue.`)
    : new FirnError('ChunkTimedOut', `${what}, and there is no Glue for it (${engine?.reason ?? 'engine: lambda'}).`);
}
