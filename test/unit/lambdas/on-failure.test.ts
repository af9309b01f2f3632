import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { ConfirmSubscriptionCommand, CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { errorRecord } from '../../../core/errors.js';
import { createLog } from '../../../core/log.js';
import type { RunRef } from '../../../core/plan/plan.js';
import type { Receipt } from '../../../core/receipt/receipt.js';
import { createRun, finishRun, readRun, recordStepError, reopenRun } from '../../../core/state/runs.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { type FailureReporting, reportFailure } from '../../../core/workflow/failed-run.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';
import { createBucket, createFunction, createStateMachine, keptLog } from './local-functions.js';

let aws: LocalAws;
let run: RunRef;
let documents: RuntimeState['documents'];

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  aws = await startLocalAws();
  documents = await createStateTable('state');
});
afterAll(() => aws.stop());
beforeEach(() => {
  run = { runId: ulid(), source: 'PostgreSQL', database: 'clr', table: 'orders' };
});

/** What another process does may take as long as the machine is busy. */
const patience = { timeout: 20_000 };

const cause = (errorMessage: string) => JSON.stringify({ errorType: 'x', errorMessage, trace: ['secret stack'] });

describe('a failed run (Step Functions, Lambda and SNS in memory, DynamoDB local)', () => {
  let executions: ExecutionsDouble;
  let reporting: FailureReporting;
  let published: { subject: string; receipt: Receipt }[];
  let invoked: unknown[];
  let arn: string;

  beforeEach(async () => {
    executions = new ExecutionsDouble();
    arn = executions.arn(run.runId);
    published = [];
    invoked = [];
    reporting = {
      state: { documents, table: 'state', executions },
      bucket: 'raw',
      functions: {
        invokeLater: async (name, event) => {
          invoked.push([name, event]);
        },
        invoke: async () => ({ answer: {} }),
      },
      warehouse: 'warehouse',
      publish: async (subject, receipt) => {
        published.push({ subject, receipt });
      },
      log: createLog({}),
    };
    await createRun(reporting.state, { run, mode: 'full', executionArn: arn });
    await executions.start(run.runId, run);
  });
  const fail = (more: Partial<Awaited<ReturnType<ExecutionsDouble['describe']>>> = {}) =>
    executions.set(run.runId, 'failed', { error: 'SourceUnreachable', cause: cause('no route to db'), ...more });

  it('is recorded, told to Snowflake and published', async () => {
    fail();
    await reportFailure(reporting, run, arn);
    expect(await readRun(reporting.state, run.runId)).toMatchObject({
      status: 'FAILED',
      error: { code: 'SourceUnreachable', message: 'no route to db' },
    });
    expect(invoked).toEqual([['warehouse', { action: 'record', run }]]);
    expect(published).toMatchObject([
      {
        subject: 'Firn: PostgreSQL.clr.orders failed: SourceUnreachable',
        receipt: { run_id: run.runId, status: 'FAILED', error: { code: 'SourceUnreachable' } },
      },
    ]);
  });

  it('is published once per attempt, however often its event comes', async () => {
    fail();
    await Promise.all([reportFailure(reporting, run, arn), reportFailure(reporting, run, arn)]);
    await reportFailure(reporting, run, arn);
    expect(published).toHaveLength(1);
    await executions.redrive(arn);
    await reopenRun(reporting.state, run.runId, null);
    fail();
    await reportFailure(reporting, run, arn);
    await reportFailure(reporting, run, arn);
    expect(published).toHaveLength(2);
  });

  it('is published by the next event when publishing failed', async () => {
    fail();
    await expect(reportFailure({ ...reporting, publish: () => Promise.reject(new Error('SNS')) }, run, arn)).rejects.toThrow('SNS');
    await reportFailure(reporting, run, arn);
    expect(published).toHaveLength(1);
  });

  it.each<{ name: string; make: () => Promise<unknown>; status: string }>([
    { name: 'runs again after a redrive', make: async () => {}, status: 'RUNNING' },
    { name: 'has succeeded since', make: async () => executions.set(run.runId, 'succeeded'), status: 'RUNNING' },
  ])('is left alone by a late event when it $name', async ({ make, status }) => {
    await make();
    await reportFailure(reporting, run, arn);
    expect(await readRun(reporting.state, run.runId)).toMatchObject({ status });
    expect([published, invoked]).toEqual([[], []]);
  });

  it('that has committed before it failed stays as it is; Snowflake is told, which may not know yet', async () => {
    fail();
    await finishRun(reporting.state, run.runId, { status: 'SUCCEEDED', finishedAt: '', error: null });
    await reportFailure(reporting, run, arn);
    expect(await readRun(reporting.state, run.runId)).toMatchObject({ status: 'SUCCEEDED' });
    expect([published, invoked]).toEqual([[], [['warehouse', { action: 'record', run }]]]);
  });

  it.each<{ name: string; ended: Parameters<typeof fail>[0]; step?: Parameters<typeof recordStepError>[2]; code: string; says: RegExp }>([
    {
      name: 'what the step recorded',
      ended: { error: 'LoadRejected', cause: cause('cut') },
      step: { step: 'await-load', at: '2999-01-01T00:00:00.000Z', error: errorRecord('LoadRejected', 'file f, row 3') },
      code: 'LoadRejected',
      says: /file f, row 3/,
    },
    {
      name: 'not what a step recorded in an attempt before',
      ended: { error: 'LoadRejected', cause: cause('file g') },
      step: { step: 'await-load', at: '2020-01-01T00:00:00.000Z', error: errorRecord('LoadRejected', 'file f, row 3') },
      code: 'LoadRejected',
      says: /^file g$/,
    },
    { name: 'a timeout', ended: { error: 'States.Timeout', cause: null }, code: 'TimedOut', says: /did not end in its time/ },
    {
      name: "Lambda's own timeout",
      ended: { error: 'Sandbox.Timedout', cause: cause('Task timed out after 900.00 seconds') },
      code: 'TimedOut',
      says: /900/,
    },
    {
      name: "Lambda's own timeout, as it is documented",
      ended: { error: 'Lambda.Unknown', cause: 'Returned payload: {"errorMessage":"2026-11-21 Task timed out after 900.00 seconds"}' },
      code: 'TimedOut',
      says: /900/,
    },
    {
      name: 'a function that died',
      ended: { error: 'Runtime.ExitError', cause: cause('Runtime exited') },
      code: 'Internal',
      says: /exited/,
    },
    {
      name: 'an execution that was stopped',
      ended: { status: 'ABORTED', error: null, cause: 'maintenance' },
      code: 'Aborted',
      says: /maintenance/,
    },
    { name: 'anything else', ended: { error: 'States.Runtime', cause: 'bad path' }, code: 'Internal', says: /States.Runtime: bad path/ },
  ])('says why it failed: $name', async ({ ended, step, code, says }) => {
    if (step) await recordStepError(reporting.state, run.runId, step);
    fail(ended);
    await reportFailure(reporting, run, arn);
    const { error } = (await readRun(reporting.state, run.runId))!;
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
    expect(error!.message).not.toContain('secret stack');
  });
});

it('on-failure: from the event of a real failed execution to the record, the log and the subscriber (all of AWS local)', async () => {
  const messages: Record<string, unknown>[] = [];
  const subscriber = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      messages.push(JSON.parse(text));
      response.end();
    });
  });
  await new Promise<void>((listening) => subscriber.listen(0, '127.0.0.1', listening));
  const { TopicArn } = await new SNSClient({}).send(new CreateTopicCommand({ Name: 'failures' }));
  await new SNSClient({}).send(
    new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: `http://127.0.0.1:${(subscriber.address() as AddressInfo).port}/` }),
  );
  const confirmation = await vi.waitFor(() => {
    expect(messages).toMatchObject([{ Type: 'SubscriptionConfirmation' }]);
    return messages[0]!;
  }, patience);
  await new SNSClient({}).send(new ConfirmSubscriptionCommand({ TopicArn, Token: String(confirmation.Token) }));
  await createBucket('raw');
  await createFunction('warehouse');
  const stateMachineArn = await createStateMachine('ingest', {
    Type: 'Fail',
    Error: 'SourceTableMissing',
    Cause: cause('There is no table orders.'),
  });
  Object.assign(process.env, {
    RUNTIME_STATE: 'state',
    RAW_BUCKET: 'raw',
    INGEST_STATE_MACHINE_ARN: stateMachineArn,
    WAREHOUSE_FUNCTION: 'warehouse',
    FAILURE_TOPIC_ARN: TopicArn,
  });
  const { handler } = await import('../../../lambdas/on-failure/handler.js');

  const sfn = new SFNClient({});
  const input = JSON.stringify(run);
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, name: run.runId, input }));
  await vi.waitFor(async () => expect((await sfn.send(new DescribeExecutionCommand({ executionArn }))).status).toBe('FAILED'), patience);
  const detail = { executionArn: executionArn!, name: run.runId, status: 'FAILED', input };
  const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 60_000 };
  await handler({ detail }, context);
  await handler({ detail }, context);

  const state = { documents, table: 'state', executions: new ExecutionsDouble() };
  expect(await readRun(state, run.runId)).toMatchObject({
    status: 'FAILED',
    error: { code: 'SourceTableMissing', message: 'There is no table orders.' },
  });
  expect((await keptLog('raw', run.runId)).map(({ step }) => step)).toContain('on-failure');
  const told = () => messages.filter(({ Type }) => Type === 'Notification');
  await vi.waitFor(() => expect(told()).toHaveLength(1), patience);
  expect(JSON.parse(told()[0]!.Message as string)).toMatchObject({ run_id: run.runId, status: 'FAILED' });
  subscriber.close();
});

it('on-failure ignores executions that Firn has not started', async () => {
  const { handler } = await import('../../../lambdas/on-failure/handler.js');
  const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 60_000 };
  await handler({ detail: { executionArn: 'arn', name: 'by-hand', status: 'FAILED', input: '{}' } }, context);
});
