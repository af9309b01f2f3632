import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { asFirnError, FirnError } from '../core/errors.js';
import { withFailpoints } from '../core/failpoints.js';
import { createLog, type RunLog } from '../core/log.js';
import { type RunRef, runRefSchema } from '../core/plan/plan.js';
import { keepLog } from '../core/raw-bucket/run-log.js';
import { recordStepError } from '../core/state/runs.js';
import { rawBucket, runtimeState } from './clients.js';

/** What of Lambda's context a step may use. */
export type StepContext = Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>;

const envelopeSchema = z.looseObject({ action: z.string().optional(), run: runRefSchema.optional().catch(undefined) });

/**
 * The handler of a function of the workflow: checks the event, logs, and turns what `perform` throws into an error whose name is
 * its code, so that Retry and Catch match it. The error is in the run's record and in the run's log on S3 before it is thrown.
 *
 * @param name of the function, e.g. `extract`: bound to each log line
 * @param schema of the event, `{action, run, …}`
 */
export function step<S extends z.ZodType, R>(
  name: string,
  schema: S,
  perform: (event: z.infer<S>, log: RunLog, context: StepContext) => Promise<R>,
): (event: unknown, context: StepContext) => Promise<R> {
  return async (event, context) => {
    const { action = name, run } = envelopeSchema.safeParse(event).data ?? {};
    const log = createLog({ function: name, action, request_id: context.awsRequestId, ...(run && { run_id: run.runId, ...place(run) }) });
    try {
      const parsed = schema.safeParse(event);
      if (!parsed.success) throw new FirnError('Internal', `${name} does not understand its event: ${z.prettifyError(parsed.error)}`);
      log.info({}, 'started');
      const answer = await withFailpoints(run?.table ?? '', () => perform(parsed.data, log, context));
      log.info({}, 'finished');
      return answer;
    } catch (thrown) {
      const error = serviceError(thrown);
      log.error({ error: error.toRecord(), stack: error.stack }, error.message);
      // The step's own error matters more than one of recording it.
      if (run && error.code !== 'Superseded') await attempt(log, () => recordError(run.runId, action, error));
      throw error;
    } finally {
      if (run) await attempt(log, () => keepLog(rawBucket(), run.runId, action, log));
    }
  };
}

const place = ({ source, database, table }: RunRef) => ({ source, database, table });

const recordError = (runId: string, action: string, error: FirnError): Promise<void> =>
  recordStepError(runtimeState(), runId, { step: action, at: new Date().toISOString(), error: error.toRecord() });

async function attempt(log: RunLog, record: () => Promise<void>): Promise<void> {
  try {
    await record();
  } catch (error) {
    log.warn({ error: String(error) }, 'could not record what happened');
  }
}

/** An AWS service that could not be reached, throttled or failed after the SDK's own retries is worth a retry of the step. */
function serviceError(thrown: unknown): FirnError {
  const { $metadata, $retryable } = (thrown ?? {}) as { $metadata?: { httpStatusCode?: number }; $retryable?: object };
  // Every error of the SDK has $metadata; without a status no answer came.
  const status = $metadata && ($metadata.httpStatusCode ?? 503);
  const transient = status !== undefined && (status >= 500 || status === 429 || $retryable !== undefined);
  if (transient && thrown instanceof Error)
    return new FirnError('ServiceUnavailable', `${thrown.name}: ${thrown.message}`, { cause: thrown });
  return asFirnError(thrown);
}
