import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sourceItem, tableItem } from '../../../core/config/items.js';
import { configFileSchema } from '../../../core/config/schema.js';
import { errorRecord } from '../../../core/errors.js';
import { createLog } from '../../../core/log.js';
import type { Receipt } from '../../../core/receipt/receipt.js';
import { answer } from '../../../core/start/answers.js';
import type { StartContext } from '../../../core/start/context.js';
import type { ProxyEvent } from '../../../core/start/request.js';
import { finishRun, readRun } from '../../../core/state/runs.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';

let aws: LocalAws;
let documents: DynamoDBDocumentClient;
let s3: S3Client;
let executions: ExecutionsDouble;
let invoked: { name: string; event: unknown }[];
let context: StartContext;
/** A source of its own for each test. */
let database: string;

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  aws = await startLocalAws();
  documents = await createStateTable('state');
  await createStateTable('configs');
  s3 = new S3Client({});
  await s3.send(new CreateBucketCommand({ Bucket: 'raw' }));
});
afterAll(async () => {
  vi.useRealTimers();
  await aws.stop();
});

beforeEach(async () => {
  vi.useRealTimers();
  executions = new ExecutionsDouble();
  invoked = [];
  database = `clr_${ulid()}`;
  context = {
    state: { documents, table: 'state', executions },
    configs: { documents, table: 'configs' },
    raw: { client: s3, bucket: 'raw' },
    functions: {
      invokeLater: async (name, event) => {
        invoked.push({ name, event });
      },
      invoke: async (name, event) => {
        invoked.push({ name, event });
        return { answer: { mode: 'full' } };
      },
    },
    planFunction: 'plan',
    warehouseFunction: 'warehouse',
    exports: { state: { documents, table: 'state', executions }, configs: { documents, table: 'configs' }, executions, bucket: 'exports' },
    waitLimit: 480_000,
    log: createLog({}),
  };
  const { sources } = configFileSchema.parse({
    sources: [
      {
        source: 'PostgreSQL',
        database,
        type: 'postgres',
        tables: [
          { table: 'orders', mode: 'incremental', cursor_column: 'updated_at' },
          { table: 'items' },
          { table: 'events', mode: 'full', cursor_column: 'at' },
        ],
      },
    ],
  });
  const { tables, ...settings } = sources[0]!;
  const items = [sourceItem(settings, 1), ...tables.map((table) => tableItem('PostgreSQL', database, table, 1))];
  for (const Item of items) await documents.send(new PutCommand({ TableName: 'configs', Item }));
});

type Value = Receipt & Record<string, unknown>;

/** One external function call: the same headers for its POSTs and GETs, in whatever case a proxy made them. */
function call(path: string, rows: unknown[]) {
  const id = randomUUID();
  const headers = { 'SF-External-Function-Current-Query-Id': 'query', 'sf-external-function-query-batch-id': id };
  const send = async (httpMethod: string, body: string | null) => {
    const { statusCode, body: text } = await answer(context, { httpMethod, path: `/dev/${path}`, headers, body });
    const data = statusCode === 200 ? (JSON.parse(text) as { data: [number, Value][] }).data : undefined;
    return { statusCode, data, values: data?.map(([, value]) => value) };
  };
  return { post: () => send('POST', JSON.stringify({ data: rows })), get: () => send('GET', null) };
}
const orders = (...options: unknown[]) => [0, 'PostgreSQL', database, 'orders', ...options];
const startedRuns = () => executions.started.map(({ name }) => name);

async function end(runId: string, status: 'SUCCEEDED' | 'FAILED'): Promise<void> {
  executions.set(runId, status === 'SUCCEEDED' ? 'succeeded' : 'failed');
  const error = status === 'FAILED' ? errorRecord('SourceUnreachable', 'no route to db') : null;
  const receipt = status === 'SUCCEEDED' ? { rows_read: 3 } : {};
  await finishRun(context.state, runId, { status, finishedAt: new Date().toISOString(), error, receipt });
}

describe('ingest (Step Functions and Lambda in memory, DynamoDB and S3 local)', () => {
  it('answers 202 until the run has ended, then its receipt', async () => {
    const select = call('ingest', [orders()]);
    expect(await select.post()).toMatchObject({ statusCode: 202 });
    expect(await select.get()).toMatchObject({ statusCode: 202 });
    const runId = startedRuns()[0]!;
    await end(runId, 'SUCCEEDED');
    const { statusCode, data } = await select.get();
    expect(statusCode).toBe(200);
    expect(data).toEqual([
      [
        0,
        expect.objectContaining({
          run_id: runId,
          status: 'SUCCEEDED',
          table: 'orders',
          mode: 'incremental',
          joined: false,
          rows_read: 3,
          error: null,
        }),
      ],
    ]);
  });

  it('starts nothing twice when Snowflake repeats a POST, at once or later', async () => {
    const select = call('ingest', [orders(), [1, 'PostgreSQL', database, 'items']]);
    await Promise.all([select.post(), select.post()]);
    for (const runId of startedRuns()) await end(runId, 'SUCCEEDED');
    const { values } = await select.post();
    expect(executions.started).toHaveLength(2);
    expect(values?.map(({ run_id, joined }) => [run_id, joined])).toEqual(
      ['orders', 'items'].map((table) => [
        executions.started.find(({ input }) => (input as { table: string }).table === table)!.name,
        false,
      ]),
    );
  });

  it.each(Array.from({ length: 20 }, (_, i) => i + 1))(
    'starts each run once when the first POST dies at its access %i',
    async (deathAt) => {
      const rows = [orders(), [1, 'PostgreSQL', database, 'items'], [2, 'PostgreSQL', database, 'nothing']];
      const select = call('ingest', rows);
      const alive = context;
      let accesses = 0;
      const dying = <A extends unknown[], R>(run: (...args: A) => Promise<R>) => {
        return async (...args: A): Promise<R> => {
          accesses += 1;
          if (accesses >= deathAt) throw Object.assign(new Error('killed'), { name: 'Killed' });
          return run(...args);
        };
      };
      context = {
        ...alive,
        state: {
          ...alive.state,
          documents: { send: dying((command: never) => documents.send(command)) } as unknown as DynamoDBDocumentClient,
          executions: {
            ...alive.state.executions,
            arn: (name) => executions.arn(name),
            describe: (arn) => executions.describe(arn),
            redrive: (arn) => executions.redrive(arn),
            start: dying((name: string, input: unknown) => executions.start(name, input)),
          },
        },
      };
      expect(await select.post()).toMatchObject({ statusCode: 503 });
      context = alive;
      expect(await select.post()).toMatchObject({ statusCode: 202 });
      expect(executions.started.map(({ input }) => (input as { table: string }).table).toSorted()).toEqual(['items', 'orders']);
      for (const runId of startedRuns()) await end(runId, 'SUCCEEDED');
      expect((await select.get()).values?.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'REJECTED']);
    },
  );

  it('lets two SELECTs share a run that has not begun to read', async () => {
    const [first, second] = [call('ingest', [orders()]), call('ingest', [orders()])];
    await first.post();
    await second.post();
    await end(startedRuns()[0]!, 'SUCCEEDED');
    expect((await first.get()).values).toMatchObject([{ run_id: startedRuns()[0], joined: false }]);
    expect((await second.get()).values).toMatchObject([{ run_id: startedRuns()[0], joined: true }]);
  });

  it('joins the same table twice in one batch', async () => {
    const select = call('ingest', [orders(), [1, 'PostgreSQL', database, 'orders']]);
    await select.post();
    expect(executions.started).toHaveLength(1);
    await end(startedRuns()[0]!, 'SUCCEEDED');
    expect((await select.get()).values?.map(({ joined }) => joined).toSorted()).toEqual([false, true]);
  });

  it('does not wait where the caller does not', async () => {
    const { statusCode, values } = await call('ingest', [orders({ wait: false })]).post();
    expect(statusCode).toBe(200);
    expect(values).toMatchObject([{ run_id: startedRuns()[0], status: 'RUNNING' }]);
  });

  it('answers RUNNING when the wait has lasted long enough', async () => {
    const select = call('ingest', [orders()]);
    await select.post();
    context.waitLimit = 0;
    expect(await select.get()).toMatchObject({ statusCode: 200, values: [{ run_id: startedRuns()[0], status: 'RUNNING' }] });
  });

  it.each<{ name: string; args: () => unknown[]; code: string; says: RegExp }>([
    { name: 'NULL', args: () => ['PostgreSQL', null, 'orders'], code: 'ArgumentInvalid', says: /database is NULL/ },
    { name: 'a number', args: () => ['PostgreSQL', database, 7], code: 'ArgumentInvalid', says: /table is no string but number/ },
    { name: 'an empty name', args: () => ['', database, 'orders'], code: 'ArgumentInvalid', says: /source is empty/ },
    { name: 'too few arguments', args: () => ['PostgreSQL', database], code: 'ArgumentInvalid', says: /2 arguments/ },
    { name: 'too many arguments', args: () => ['PostgreSQL', database, 'orders', {}, 1], code: 'ArgumentInvalid', says: /5 arguments/ },
    { name: 'an unknown option', args: () => ['PostgreSQL', database, 'orders', { whait: true }], code: 'ArgumentInvalid', says: /whait/ },
    { name: 'an unknown mode', args: () => ['PostgreSQL', database, 'orders', { mode: 'fast' }], code: 'ArgumentInvalid', says: /mode/ },
    { name: 'options that are a string', args: () => ['PostgreSQL', database, 'orders', 'full'], code: 'ArgumentInvalid', says: /options/ },
    {
      name: 'no cursor',
      args: () => ['PostgreSQL', database, 'items', { mode: 'incremental' }],
      code: 'ArgumentInvalid',
      says: /cursor_column/,
    },
    { name: 'an unknown table', args: () => ['PostgreSQL', database, 'nothing'], code: 'TableNotConfigured', says: /Table nothing/ },
    { name: "the source's own item", args: () => ['PostgreSQL', database, '#source'], code: 'TableNotConfigured', says: /Table #source/ },
    { name: 'an unknown source', args: () => ['MySQL', database, 'orders'], code: 'TableNotConfigured', says: /Source MySQL/ },
  ])('rejects a row with $name and runs the others', async ({ args, code, says }) => {
    const select = call('ingest', [
      [0, ...args()],
      [1, 'PostgreSQL', database, 'orders'],
    ]);
    expect(await select.post()).toMatchObject({ statusCode: 202 });
    await end(startedRuns()[0]!, 'SUCCEEDED');
    const [bad, good] = (await select.get()).values!;
    expect(good).toMatchObject({ status: 'SUCCEEDED' });
    expect(bad).toMatchObject({ status: 'REJECTED', error: { code, message: expect.stringMatching(says) } });
  });

  it('answers rejections at once, and records them: record, log, FIRN.RUNS', async () => {
    const select = call('ingest', [[0, 'PostgreSQL', database, 'nothing']]);
    const { statusCode, values } = await select.post();
    expect(statusCode).toBe(200);
    await select.post();
    const { run_id } = values![0]!;
    expect(invoked).toEqual([
      {
        name: 'warehouse',
        event: { action: 'record-rejection', receipt: expect.objectContaining({ run_id, status: 'REJECTED', database }) },
      },
    ]);
    expect((await call('status', [[0, run_id]]).post()).values).toMatchObject([{ run_id, status: 'REJECTED' }]);
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'raw', Prefix: `_logs/${run_id}/` }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'raw', Key: Contents![0]!.Key! }));
    expect(await Body!.transformToString()).toContain('TableNotConfigured');
  });

  it('reads a full table incrementally when it has a cursor', async () => {
    await call('ingest', [[0, 'PostgreSQL', database, 'events', { mode: 'incremental' }]]).post();
    expect(await readRun(context.state, startedRuns()[0]!)).toMatchObject({ mode: 'incremental' });
  });

  it('asks Step Functions about a run that has been silent, and says what it says', async () => {
    const select = call('ingest', [orders()]);
    await select.post();
    const runId = startedRuns()[0]!;
    executions.set(runId, 'failed', { error: 'SourceUnreachable', cause: JSON.stringify({ errorMessage: 'no route' }) });
    expect(await select.get()).toMatchObject({ statusCode: 202 });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 120_000 });
    expect((await select.get()).values).toMatchObject([{ status: 'FAILED', error: { code: 'SourceUnreachable', message: 'no route' } }]);
    expect(invoked).toMatchObject([{ name: 'warehouse', event: { action: 'record', run: { runId } } }]);
  });

  it('asks Step Functions about a silent run once a minute', async () => {
    const select = call('ingest', [orders()]);
    await select.post();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 120_000 });
    executions.described.length = 0;
    for (let i = 0; i < 5; i++) await select.get();
    expect(executions.described).toHaveLength(1);
  });
});

describe('status, retry, plan (Step Functions and Lambda in memory, DynamoDB and S3 local)', () => {
  const started = async (): Promise<string> => {
    await call('ingest', [orders()]).post();
    return startedRuns()[0]!;
  };

  it('status: the receipt of each run, or what is wrong with the row', async () => {
    const runId = await started();
    await end(runId, 'SUCCEEDED');
    const { values } = await call('status', [
      [0, runId],
      [1, 'nothing'],
      [2, null],
    ]).post();
    expect(values).toMatchObject([
      { run_id: runId, status: 'SUCCEEDED' },
      { run_id: 'nothing', status: 'REJECTED', error: { code: 'RunNotFound' } },
      { run_id: null, status: 'REJECTED', error: { code: 'ArgumentInvalid' } },
    ]);
  });

  it("status: sees a redrive by the console's button", async () => {
    const runId = await started();
    await end(runId, 'FAILED');
    executions.set(runId, 'alive');
    expect((await call('status', [[0, runId]]).post()).values).toMatchObject([{ status: 'RUNNING', error: null }]);
  });

  it('retry: redrives a failed run and waits for it', async () => {
    const runId = await started();
    await end(runId, 'FAILED');
    const select = call('retry', [[0, runId]]);
    expect(await select.post()).toMatchObject({ statusCode: 202 });
    expect(await select.post()).toMatchObject({ statusCode: 202 });
    expect((await executions.describe(executions.arn(runId))).redriveCount).toBe(1);
    await end(runId, 'SUCCEEDED');
    expect((await select.get()).values).toMatchObject([{ run_id: runId, status: 'SUCCEEDED', error: null }]);
  });

  it('retry: goes on where a POST died before it redrove', async () => {
    const runId = await started();
    await end(runId, 'FAILED');
    const select = call('retry', [[0, runId]]);
    const { redrive } = executions;
    executions.redrive = async () => {
      throw new Error('killed');
    };
    expect(await select.post()).toMatchObject({ statusCode: 503 });
    executions.redrive = redrive;
    expect(await select.post()).toMatchObject({ statusCode: 202 });
    expect((await executions.describe(executions.arn(runId))).liveness).toBe('alive');
  });

  it('retry: refuses what has not failed, what is too old, what is unknown', async () => {
    const runId = await started();
    expect((await call('retry', [[0, runId]]).post()).values).toMatchObject([{ status: 'REJECTED', error: { code: 'RunNotRetryable' } }]);
    await end(runId, 'FAILED');
    executions.redrive = async () => false;
    expect((await call('retry', [[0, runId]]).post()).values).toMatchObject([{ status: 'REJECTED', error: { code: 'RunNotRetryable' } }]);
    expect(await readRun(context.state, runId)).toMatchObject({ status: 'FAILED', error: { code: 'SourceUnreachable' } });
    expect((await call('retry', [[0, ulid()]]).post()).values).toMatchObject([{ status: 'REJECTED', error: { code: 'RunNotFound' } }]);
  });

  it('plan: asks the function that reaches the source', async () => {
    const { values } = await call('plan', [orders({ mode: 'full' }), [1, 'PostgreSQL', null, 'orders']]).post();
    expect(values).toMatchObject([{ mode: 'full' }, { error: { code: 'ArgumentInvalid' } }]);
    expect(invoked).toEqual([
      { name: 'plan', event: { action: 'explain', run: { source: 'PostgreSQL', database, table: 'orders' }, mode: 'full' } },
    ]);
  });
});

describe('what is no call of an external function', () => {
  const headers = { 'sf-external-function-current-query-id': 'q', 'sf-external-function-query-batch-id': 'b' };
  const good = JSON.stringify({ data: [[0, 'a', 'b', 'c']] });

  it.each<{ name: string; request: Partial<ProxyEvent>; statusCode: number }>([
    { name: 'no body', request: { body: null }, statusCode: 400 },
    { name: 'no JSON', request: { body: '{"data":' }, statusCode: 400 },
    { name: 'no rows', request: { body: '{"data":[]}' }, statusCode: 400 },
    { name: 'a row without a number', request: { body: '{"data":[["a"]]}' }, statusCode: 400 },
    { name: 'the same row twice', request: { body: '{"data":[[0,"a"],[0,"b"]]}' }, statusCode: 400 },
    { name: 'too many rows', request: { body: JSON.stringify({ data: Array.from({ length: 501 }, (_, i) => [i]) }) }, statusCode: 400 },
    { name: 'no batch id', request: { headers: { ...headers, 'sf-external-function-query-batch-id': undefined } }, statusCode: 400 },
    { name: 'an unknown path', request: { path: '/dev/drop' }, statusCode: 404 },
    { name: 'another method', request: { httpMethod: 'PUT' }, statusCode: 405 },
    { name: 'GET of an unknown batch', request: { httpMethod: 'GET', body: null }, statusCode: 404 },
  ])('$name: $statusCode and one line', async ({ request, statusCode }) => {
    const got = await answer(context, { httpMethod: 'POST', path: '/dev/ingest', headers, body: good, ...request });
    expect(got.statusCode).toBe(statusCode);
    expect(JSON.parse(got.body)).toEqual({ error: expect.stringMatching(/^[^\n]+$/) });
    expect(got.body).not.toMatch(/\.ts:|\.js:/);
  });
});
