import { LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  ExecutionNotRedrivable,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, localAws, nodeFunction, until } from './local-aws.js';

// Fails with the error named in `throw`; unless the file named by the run says that it was repaired. Counts its calls.
const worker = `
const fs = require('node:fs');
exports.handler = async ({ action, run, item, throw: name, times }) => {
  const file = process.env.TMPDIR + '/' + run + '-' + action + '-' + (item ?? 0);
  const calls = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0;
  fs.writeFileSync(file, String(calls + 1));
  if (action === 'hang' && calls === 0) await new Promise((resolve) => setTimeout(resolve, 500));
  if (name && calls < (times ?? Infinity)) {
    const error = new Error('broke at ' + (item ?? action));
    error.name = name;
    throw error;
  }
  return { calls: calls + 1, node: process.versions.node, mode: process.env.MODE ?? null };
};`;

const task = (parameters: object, rest: object = {}) => ({
  Type: 'Task',
  Resource: ['$', '{Worker}'].join(''), // Fn::Sub puts the function here
  Parameters: { 'run.$': '$$.Execution.Name', ...parameters },
  ...rest,
});

const machines: Record<string, object> = {
  Retries: {
    StartAt: 'Flaky',
    States: {
      Flaky: task(
        { action: 'flaky', throw: 'SourceBusy', times: 2 },
        {
          Retry: [{ ErrorEquals: ['SourceBusy'], IntervalSeconds: 1, MaxDelaySeconds: 1, MaxAttempts: 3, JitterStrategy: 'FULL' }],
          End: true,
        },
      ),
    },
  },
  NoRetry: {
    StartAt: 'Flaky',
    States: { Flaky: task({ action: 'flaky', throw: 'ConfigInvalid' }, { Retry: [{ ErrorEquals: ['SourceBusy'] }], End: true }) },
  },
  Catches: {
    StartAt: 'Extract',
    States: {
      Extract: {
        Type: 'Map',
        ItemsPath: '$.chunks',
        ItemSelector: { 'chunk.$': '$$.Map.Item.Value', 'run.$': '$$.Execution.Name' },
        ItemProcessor: {
          StartAt: 'One',
          States: { One: task({ action: 'extract', 'item.$': '$.chunk', throw: 'Superseded' }, { End: true }) },
        },
        Catch: [{ ErrorEquals: ['Superseded'], Next: 'Supersede', ResultPath: '$.error' }],
        Next: 'Done',
      },
      Supersede: { Type: 'Pass', Result: 'superseded', Next: 'Done' },
      Done: { Type: 'Succeed' },
    },
  },
  Redrives: {
    StartAt: 'Plan',
    TimeoutSeconds: 600,
    States: {
      Plan: task({ action: 'plan' }, { ResultPath: '$.plan', Next: 'Extract' }),
      Extract: {
        Type: 'Map',
        ItemsPath: '$.chunks',
        MaxConcurrency: 1,
        ItemSelector: { 'chunk.$': '$$.Map.Item.Value' },
        ItemProcessor: {
          StartAt: 'Read',
          States: {
            Read: task({ action: 'read', 'item.$': '$.chunk' }, { ResultPath: '$.read', Next: 'Fails?' }),
            'Fails?': { Type: 'Choice', Choices: [{ Variable: '$.chunk', NumericEquals: 2, Next: 'Break' }], Default: 'Fine' },
            Break: task({ action: 'break', throw: 'SourceConnectionLost', times: 1 }, { End: true }),
            Fine: { Type: 'Succeed' },
          },
        },
        ResultPath: '$.extracted',
        Next: 'Commit',
      },
      Commit: task(
        { action: 'commit', throw: 'Superseded', times: 1 },
        { ResultPath: '$.commit', Catch: [{ ErrorEquals: ['Superseded'], ResultPath: '$.error', Next: 'Supersede' }], End: true },
      ),
      Supersede: { Type: 'Pass', Parameters: { outcome: 'superseded', 'plan.$': '$.plan' }, End: true },
    },
  },
  Hangs: {
    StartAt: 'Hang',
    States: {
      Hang: task({ action: 'hang' }, { Next: 'Wait' }),
      Wait: { Type: 'Wait', Seconds: 1, Next: 'After' },
      After: task({ action: 'after' }, { End: true }),
    },
  },
  TimesOut: { TimeoutSeconds: 1, StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 60, End: true } } },
  Succeeds: { StartAt: 'Pass', States: { Pass: { Type: 'Pass', End: true } } },
  Spark: {
    StartAt: 'Job',
    States: { Job: { Type: 'Task', Resource: 'arn:aws:states:::glue:startJobRun.sync', Parameters: { JobName: 'extract' }, End: true } },
  },
};

// Keeps what it is told in a table, so that the tests can ask what was delivered.
const recorder = `
exports.handler = async (event) => {
  const response = await fetch(process.env.AWS_ENDPOINT_URL, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.PutItem',
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify({ TableName: process.env.TABLE, Item: {
      pk: { S: event.detail.name }, sk: { S: event.detail.status + event.detail.redriveCount }, detail: { S: JSON.stringify(event.detail) } } }),
  });
  if (!response.ok) throw new Error(await response.text());
};`;

let aws: LocalAws;
let sfn: SFNClient;
let outputs: Record<string, string>;

beforeAll(async () => {
  aws = await localAws();
  sfn = new SFNClient(aws.client);
  const resources = {
    ...nodeFunction('Worker', worker),
    ...nodeFunction('Recorder', recorder, { TABLE: { Ref: 'Events' } }),
    Events: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
      },
    },
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        EventPattern: { source: ['aws.states'], 'detail-type': ['Step Functions Execution Status Change'] },
        Targets: [{ Id: 'recorder', Arn: { 'Fn::GetAtt': ['Recorder', 'Arn'] } }],
      },
    },
    ...Object.fromEntries(
      Object.entries(machines).map(([name, definition]) => [
        name,
        {
          Type: 'AWS::StepFunctions::StateMachine',
          Properties: {
            RoleArn: { 'Fn::GetAtt': ['WorkerRole', 'Arn'] },
            DefinitionString: { 'Fn::Sub': [JSON.stringify(definition), { Worker: { 'Fn::GetAtt': ['Worker', 'Arn'] } }] },
          },
        },
      ]),
    ),
  };
  outputs = await aws.deploy('states', resources, {
    ...Object.fromEntries(Object.keys(machines).map((name) => [name, { Ref: name }])),
    EventsTable: { Ref: 'Events' },
    WorkerName: { Ref: 'Worker' },
    RoleArn: { 'Fn::GetAtt': ['WorkerRole', 'Arn'] },
  });
}, 60_000);

afterAll(() => aws?.stop());

const start = async (machine: string, name: string, input: object = {}) => {
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn: outputs[machine], name, input: JSON.stringify(input) }),
  );
  return executionArn!;
};
const describeExecution = (executionArn: string) => sfn.send(new DescribeExecutionCommand({ executionArn }));
const ended = (arn: string): Promise<DescribeExecutionCommandOutput> =>
  until(async () => {
    const execution = await describeExecution(arn);
    return execution.status === 'RUNNING' ? undefined : execution;
  });
const output = (execution: DescribeExecutionCommandOutput) => JSON.parse(execution.output ?? 'null');
const delivered = (name: string, status: string): Promise<Record<string, unknown>> =>
  until(async () => {
    const key = { pk: { S: name }, sk: { S: status } };
    const answer = await aws.call('dynamodb', 'DynamoDB_20120810.GetItem', { TableName: outputs.EventsTable, Key: key });
    const item = answer.Item as { detail: { S: string } } | undefined;
    return item && JSON.parse(item.detail.S);
  });

describe('errors of a function', () => {
  it('are retried by name', async () => {
    const execution = await ended(await start('Retries', 'retries'));
    expect(execution.status).toBe('SUCCEEDED');
    expect(output(execution)).toMatchObject({ calls: 3, node: expect.stringMatching(/^24\./) });
  });

  it('are not retried under another name, and fail the execution under their own', async () => {
    const execution = await ended(await start('NoRetry', 'no-retry'));
    expect(execution).toMatchObject({ status: 'FAILED', error: 'ConfigInvalid', redriveStatus: 'REDRIVABLE' });
    expect(JSON.parse(execution.cause!)).toMatchObject({ errorType: 'ConfigInvalid', errorMessage: 'broke at flaky' });
    expect(execution.output).toBeUndefined();
  });

  it('leave a Map under their own name and are caught there', async () => {
    expect(output(await ended(await start('Catches', 'catches', { chunks: [1, 2] })))).toBe('superseded');
  });

  it('of a Glue job that is not there are no success', async () => {
    expect(await ended(await start('Spark', 'spark'))).toMatchObject({ status: 'FAILED', error: 'Glue.EntityNotFoundException' });
  });
});

describe('StartExecution', () => {
  it('answers the running execution for the same name and input, and refuses any other use of the name', async () => {
    const arn = await start('Hangs', 'same', { a: 1 });
    expect(await start('Hangs', 'same', { a: 1 })).toBe(arn);
    await expect(start('Hangs', 'same', { a: 2 })).rejects.toBeInstanceOf(ExecutionAlreadyExists);
    await sfn.send(new StopExecutionCommand({ executionArn: arn }));
    await expect(start('Hangs', 'same', { a: 1 })).rejects.toBeInstanceOf(ExecutionAlreadyExists);
  });

  it('refuses a name longer than 80 characters', async () => {
    await expect(start('Succeeds', 'x'.repeat(81))).rejects.toMatchObject({ name: 'InvalidName' });
  });

  it('is unknown to DescribeExecution before', async () => {
    const arn = `${outputs.Succeeds!.replace(':stateMachine:', ':execution:')}:never`;
    await expect(describeExecution(arn)).rejects.toBeInstanceOf(ExecutionDoesNotExist);
  });
});

describe('RedriveExecution', () => {
  it('goes on from the failed state; of a Map, only what had not finished; a Catch still works', async () => {
    const arn = await start('Redrives', 'redrive', { chunks: [1, 2, 3] });
    expect(await ended(arn)).toMatchObject({ status: 'FAILED', error: 'SourceConnectionLost', redriveCount: 0 });
    const { redriveDate } = await sfn.send(new RedriveExecutionCommand({ executionArn: arn }));
    const execution = await ended(arn);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', redriveCount: 1, redriveStatus: 'NOT_REDRIVABLE' });
    expect(execution.redriveDate).toEqual(redriveDate);
    // Plan ran once, so its first answer is still there
    expect(output(execution)).toMatchObject({ outcome: 'superseded', plan: { calls: 1 } });

    const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn: arn, maxResults: 1000 }));
    const entered = events!.flatMap((event) => event.stateEnteredEventDetails?.name ?? []);
    expect(entered).toEqual(['Plan', 'Extract', 'Extract', 'Commit', 'Supersede']);
    const types = events!.map((event) => event.type);
    expect(types.indexOf('ExecutionRedriven')).toBeGreaterThan(types.indexOf('ExecutionFailed'));
    expect(events!.find((event) => event.type === 'ExecutionRedriven')?.executionRedrivenEventDetails?.redriveCount).toBe(1);
    // Plan; chunk 1, chunk 2, its failure; in the redrive the failed step of chunk 2, chunk 3; Commit
    expect(types.filter((type) => type === 'TaskScheduled')).toHaveLength(7);
  });

  it('refuses what runs or has succeeded, and what does not exist', async () => {
    const done = await start('Succeeds', 'done');
    await ended(done);
    await expect(sfn.send(new RedriveExecutionCommand({ executionArn: done }))).rejects.toBeInstanceOf(ExecutionNotRedrivable);
    await expect(sfn.send(new RedriveExecutionCommand({ executionArn: `${done}-not` }))).rejects.toBeInstanceOf(ExecutionDoesNotExist);
  });

  it('keeps to the definition that the execution began with', async () => {
    const arn = await start('NoRetry', 'definition');
    await ended(arn);
    const definition = JSON.stringify({ StartAt: 'Flaky', States: { Flaky: { Type: 'Pass', End: true } } });
    await sfn.send(new UpdateStateMachineCommand({ stateMachineArn: outputs.NoRetry, definition }));
    await sfn.send(new RedriveExecutionCommand({ executionArn: arn }));
    expect(await ended(arn)).toMatchObject({ status: 'FAILED', error: 'ConfigInvalid', redriveCount: 1 });
  });

  it('of a stopped execution runs its task again, and the task that was under way then changes nothing', async () => {
    const arn = await start('Hangs', 'stopped');
    await until(async () => {
      const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn: arn }));
      return events!.some((event) => event.type === 'TaskScheduled') || undefined;
    });
    await sfn.send(new StopExecutionCommand({ executionArn: arn, error: 'Aborted', cause: 'by hand' }));
    expect(await describeExecution(arn)).toMatchObject({ status: 'ABORTED', error: 'Aborted', cause: 'by hand' });
    await sfn.send(new RedriveExecutionCommand({ executionArn: arn }));
    expect(output(await ended(arn))).toMatchObject({ calls: 1 });
    const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn: arn, maxResults: 1000 }));
    const types = events!.map((event) => event.type);
    expect(types.filter((type) => type === 'ExecutionSucceeded')).toHaveLength(1);
    expect(types.filter((type) => type === 'TaskSucceeded')).toHaveLength(2);
  });
});

describe('the events of an execution', () => {
  it.each([
    ['Succeeds', 'SUCCEEDED', { output: '{"n":1}', error: null }],
    ['NoRetry', 'SUCCEEDED', {}],
    ['TimesOut', 'TIMED_OUT', { error: 'States.Timeout', redriveStatus: 'REDRIVABLE' }],
    ['Spark', 'FAILED', { error: 'Glue.EntityNotFoundException', redriveStatus: 'REDRIVABLE' }],
  ])('%s: reach a rule as %s', async (machine, status, detail) => {
    const name = `events-${machine}`;
    const executionArn = await start(machine, name, { n: 1 });
    const common = { executionArn, name, stateMachineArn: outputs[machine], input: '{"n":1}', redriveCount: 0 };
    expect(await delivered(name, 'RUNNING0')).toMatchObject({ ...common, status: 'RUNNING', stopDate: null });
    expect(await delivered(name, `${status}0`)).toMatchObject({ ...common, status, stopDate: expect.any(Number), ...detail });
  });

  it('count the redrives, and tell of an abort', async () => {
    const name = 'events-redrive';
    const executionArn = await start('Hangs', name);
    await sfn.send(new StopExecutionCommand({ executionArn, error: 'Aborted', cause: 'by hand' }));
    expect(await delivered(name, 'ABORTED0')).toMatchObject({ error: 'Aborted', cause: 'by hand' });
    await sfn.send(new RedriveExecutionCommand({ executionArn }));
    expect(await delivered(name, 'RUNNING1')).toMatchObject({ redriveCount: 1, redriveDate: expect.any(Number) });
    expect(await delivered(name, 'SUCCEEDED1')).toMatchObject({ redriveCount: 1, error: null });
  });
});

describe('a stop and a new start of the local AWS', () => {
  it('keeps executions and their history, goes on with running ones, and lets a failed one be redriven', async () => {
    const failed = await start('Redrives', 'restart', { chunks: [2] });
    await ended(failed);
    const running = await start('Hangs', 'restart-running');
    await aws.restart();
    await sfn.send(new RedriveExecutionCommand({ executionArn: failed }));
    expect(await ended(failed)).toMatchObject({ status: 'SUCCEEDED', redriveCount: 1 });
    expect(await ended(running)).toMatchObject({ status: 'SUCCEEDED', redriveCount: 0 });
  }, 60_000);

  it('takes a new configuration of a function', async () => {
    await new LambdaClient(aws.client).send(
      new UpdateFunctionConfigurationCommand({ FunctionName: outputs.WorkerName, Environment: { Variables: { MODE: 'new' } } }),
    );
    expect(output(await ended(await start('Retries', 'new-mode')))).toMatchObject({ mode: 'new' });
  });
});
