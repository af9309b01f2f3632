import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { FirnError } from '../../../core/errors.js';
import { type RunRef, runRefSchema } from '../../../core/plan/plan.js';
import { createRun, readRun } from '../../../core/state/runs.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';
import { createBucket, keptLog } from './local-functions.js';

let aws: LocalAws;
let step: typeof import('../../../lambdas/step.js').step;
let state: ReturnType<typeof import('../../../lambdas/clients.js').runtimeState>;
let run: RunRef;

const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 60_000 };
const schema = z.object({ action: z.literal('extract'), run: runRefSchema, chunk: z.int() });

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  aws = await startLocalAws();
  Object.assign(process.env, {
    RUNTIME_STATE: 'state',
    RAW_BUCKET: 'raw',
    INGEST_STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:0:stateMachine:ingest',
  });
  await createStateTable('state');
  await createBucket('raw');
  ({ step } = await import('../../../lambdas/step.js'));
  state = (await import('../../../lambdas/clients.js')).runtimeState();
});
afterAll(() => aws.stop());
beforeEach(async () => {
  run = { runId: ulid(), source: 'PostgreSQL', database: 'clr', table: 'orders' };
  await createRun(state, { run, mode: 'full' });
});

describe('a function of the workflow (DynamoDB and S3 local)', () => {
  it('answers what the step answers, and keeps its log', async () => {
    const handler = step('extract', schema, async ({ chunk }, log) => {
      log.info({ rows: 3 }, 'read');
      return { chunk };
    });
    expect(await handler({ action: 'extract', run, chunk: 2 }, context)).toEqual({ chunk: 2 });
    const [kept] = await keptLog('raw', run.runId);
    expect(kept).toMatchObject({ step: 'extract' });
    expect(kept!.lines.map(({ msg, run_id, request_id }) => ({ msg, run_id, request_id }))).toEqual(
      ['started', 'read', 'finished'].map((msg) => ({ msg, run_id: run.runId, request_id: 'request' })),
    );
  });

  it.each([
    {
      name: 'its code',
      thrown: new FirnError('SourceTableMissing', 'There is no table orders.'),
      code: 'SourceTableMissing',
      message: /no table orders/,
    },
    { name: 'Internal for what nobody foresaw', thrown: new TypeError('x is undefined'), code: 'Internal', message: /x is undefined/ },
    {
      name: 'a retried code for an AWS service that failed',
      thrown: Object.assign(new Error('slow down'), { name: 'SlowDown', $metadata: { httpStatusCode: 503 } }),
      code: 'ServiceUnavailable',
      message: /slow down/,
    },
  ])('names its error by $name, in the record, the log and what Step Functions sees', async ({ thrown, code, message }) => {
    const handler = step('extract', schema, async () => {
      throw thrown;
    });
    await expect(handler({ action: 'extract', run, chunk: 0 }, context)).rejects.toMatchObject({
      name: code,
      message: expect.stringMatching(message),
    });
    expect((await readRun(state, run.runId))?.lastError).toMatchObject({
      step: 'extract',
      error: { code, message: expect.stringMatching(message) },
    });
    const [kept] = await keptLog('raw', run.runId);
    expect(kept!.lines.at(-1)).toMatchObject({ level: 'error', error: { code } });
  });

  it('does not call it an error of the run when the run is superseded', async () => {
    const handler = step('extract', schema, async () => {
      throw new FirnError('Superseded', 'another run');
    });
    await expect(handler({ action: 'extract', run, chunk: 0 }, context)).rejects.toMatchObject({ name: 'Superseded' });
    expect((await readRun(state, run.runId))?.lastError).toBeNull();
  });

  it('refuses an event of another shape', async () => {
    const handler = step('extract', schema, async () => ({}));
    await expect(handler({ action: 'extract', run }, context)).rejects.toMatchObject({
      name: 'Internal',
      message: expect.stringMatching(/chunk/),
    });
  });

  it('throws the error of the step even where nothing can be recorded', async () => {
    const handler = step('extract', schema, async () => {
      throw new FirnError('SourceUnreachable', 'no route');
    });
    vi.stubEnv('RAW_BUCKET', 'missing');
    vi.stubEnv('RUNTIME_STATE', 'missing');
    await expect(handler({ action: 'extract', run, chunk: 0 }, context)).rejects.toMatchObject({ name: 'SourceUnreachable' });
    vi.unstubAllEnvs();
  });
});
