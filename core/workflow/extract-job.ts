import { setTimeout as pause } from 'node:timers/promises';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { FirnError, retriedCodes } from '../errors.js';
import { type CaughtFailure, jobFailure } from '../glue/job-failure.js';
import type { JobRuns } from '../glue/job-runs.js';
import type { RunLog } from '../log.js';
import type { Plan } from '../plan/plan.js';
import { glueReadPrefix } from '../raw-bucket/layout.js';
import type { RawBucket } from '../raw-bucket/objects.js';
import type { SourceSecret } from '../source/source.js';
import type { Executions } from '../state/executions.js';
import { takeByGlue } from './chunk-parts.js';
import { writeGlueRead } from './glue-read.js';

export interface PreparingJob {
  plan: Plan;
  raw: RawBucket;
  jobs: JobRuns;
  connection: SourceSecret;
  /** Name of the source's secret. */
  secret: string;
  log: RunLog;
  /** Milliseconds between two looks at a job run that is to end. */
  interval?: number;
}

/** What the state machine starts the job with. `read` is empty when nothing is left to be read. */
export interface PreparedJob {
  read: string;
  /** ISO 8601. */
  preparedAt: string;
}

/** A job run that is stopped ends within about a minute. */
const looks = 60;

/**
 * Before a job run: stops those of the same run that are still alive, so that no two read the source, and writes down what is left to read.
 * @throws FirnError ServiceUnavailable when an earlier job run does not end, and what writeGlueRead throws
 */
export async function prepareJob({ plan, raw, jobs, connection, secret, log, interval = 5000 }: PreparingJob): Promise<PreparedJob> {
  const { runId } = plan.run;
  let alive = await jobs.alive(runId);
  if (alive.length > 0) {
    log.warn({ job_runs: alive }, 'stopping an earlier job run of this run');
    await jobs.stop(alive);
  }
  for (let look = 0; alive.length > 0; look++) {
    if (look === looks) throw new FirnError('ServiceUnavailable', `The Glue job run ${alive.join(', ')} was stopped and does not end.`);
    await pause(interval);
    alive = await jobs.alive(runId);
  }
  await takeByGlue(raw, runId);
  const read = await writeGlueRead(raw, plan, connection, secret);
  log.info({ read }, read === null ? 'nothing is left to be read' : 'prepared the job');
  return { read: read ?? '', preparedAt: new Date().toISOString() };
}

export interface FailedJob {
  runId: string;
  failure: CaughtFailure;
  /** Of the job that failed. */
  preparedAt: string;
  executions: Executions;
  raw: RawBucket;
  /** How often what may pass by itself is tried again. */
  retries: number;
  log: RunLog;
}

/**
 * After a job run that failed: throws its error, so that the execution fails under its code. Returns when the job is to be prepared and
 * run again: after an error that may pass by itself, and after a redrive, which begins at this step.
 */
export async function explainJob({ runId, failure, preparedAt, executions, raw, retries, log }: FailedJob): Promise<void> {
  const { attemptStartedAt } = await executions.describe(executions.arn(runId));
  const error = jobFailure(failure);
  if (attemptStartedAt !== null && Date.parse(preparedAt) < attemptStartedAt.getTime()) {
    log.info({ earlier: error.toRecord() }, 'the job failed before the redrive: it is run again');
    return;
  }
  if (!retriedCodes.includes(error.code) || (await jobsSince(raw, runId, attemptStartedAt)) > retries) throw error;
  log.warn({ error: error.toRecord() }, 'the job is run again');
}

/** How many jobs were prepared in this attempt of the execution. */
async function jobsSince(raw: RawBucket, runId: string, since: Date | null): Promise<number> {
  const { Contents = [] } = await raw.client.send(new ListObjectsV2Command({ Bucket: raw.bucket, Prefix: glueReadPrefix(runId) }));
  return Contents.filter(({ LastModified }) => since === null || LastModified!.getTime() >= Math.floor(since.getTime() / 1000) * 1000)
    .length;
}
