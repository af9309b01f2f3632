import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { tablePrefix } from '../../../core/raw-bucket/layout.js';
import { qualifiedName } from '../../../core/warehouse/identifiers.js';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import { awaitLoad } from '../../../core/workflow/await-load.js';
import { readLoadClock, writeLoadClock } from '../../../core/workflow/load-clock.js';
import { refusePausedPipe } from '../../../core/workflow/pipe-load.js';
import { prepare } from '../../../core/workflow/prepare.js';
import { awaitProcess, submitProcess } from '../../../core/workflow/process.js';
import { sealRun } from '../../../core/workflow/seal-run.js';
import type { WarehouseStep } from '../../../core/workflow/warehouse-step.js';
import { type LocalSnowflake, startLocalSnowflake } from '../sql/local-snowflake.js';
import { load, type PlanChanges, planOf, staged } from '../sql/table.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';
import { putParquet } from './parquet-file.js';
import { beginRun, type Surroundings } from './run-in-progress.js';

/** The bucket of the stage that test/unit/sql/local-snowflake.ts makes. */
const bucket = 'firn-dev-raw';
let aws: LocalAws;
let snowflake: LocalSnowflake;
let surroundings: Surroundings;
let sqs: SQSClient;
/** Of the pipes: sandbox/snowflake/bucket_events.py reads it. */
let queue: string;

beforeAll(async () => {
  aws = await startLocalAws();
  const raw = { client: new S3Client({}), bucket };
  await raw.client.send(new CreateBucketCommand({ Bucket: bucket }));
  sqs = new SQSClient({});
  queue = (await sqs.send(new CreateQueueCommand({ QueueName: 'sf-snowpipe-local' }))).QueueUrl!;
  snowflake = await startLocalSnowflake(aws.endpoint);
  surroundings = { documents: await createStateTable('state'), raw, warehouse: snowflake.warehouse, executions: new ExecutionsDouble() };
});
afterAll(() => Promise.all([aws?.stop(), snowflake?.stop()]));

let made = 0;
let table: string;
beforeEach(() => {
  table = `load_${made++}`;
});

/** A file of the run: ID and NOTE. The bucket notifies nobody: the pipe learns of it by a refresh. */
const put = ({ raw, plan }: WarehouseStep, key: string, select: string) => putParquet(raw, plan, key, select);

const good = `SELECT 1::BIGINT AS "ID", 'a' AS "NOTE" UNION ALL SELECT 2, 'b'`;
const bad = `SELECT '1' AS "ID", 'a' AS "NOTE" UNION ALL SELECT 'two', 'b'`;
const rejection = (key: string) =>
  `Snowflake rejected ${key}, row 2, column ID (NUMBER(38,0) at the source, NUMBER(38,0) in raw): Numeric value 'two' is not recognized`;

/** A sealed run with one file, or several, of two rows each. */
async function sealed(select: string, changes: PlanChanges, parts = ['a000']): Promise<WarehouseStep & { key: string }> {
  const prefix = `${tablePrefix({ source: 'PostgreSQL', database: 'clr', table })}2025-11-05/12/`;
  const name = (runId: string, part: string) => `${prefix}${runId}-0000-${part}.parquet`;
  let keys: string[] = [];
  const run = await beginRun(
    surroundings,
    table,
    ({ runId }) => {
      keys = parts.map((part) => name(runId, part));
      return keys.map((key) => ({ key, rows: 2, bytes: 1 }));
    },
    { prefix, ...changes },
  );
  const step = await run.hold();
  await prepare(step);
  for (const key of keys) await put(step, key, select);
  await sealRun(step);
  return { ...step, key: keys[0]! };
}

async function polled(step: WarehouseStep): Promise<void> {
  while (!(await awaitLoad(step)).loaded);
}

/** Tells the pipes' queue of an object, as the bucket would. */
async function notify(key: string): Promise<void> {
  const record = { eventName: 'ObjectCreated:Put', s3: { bucket: { name: bucket }, object: { key: encodeURIComponent(key) } } };
  await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: JSON.stringify({ Records: [record] }) }));
}

/** Until the pipe has dealt with all that it was told. */
async function queueEmpty(): Promise<void> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  await vi.waitFor(
    async () => {
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: [...names] }));
      expect(names.map((name) => Attributes?.[name])).toEqual(['0', '0']);
      const [row] = await snowflake.warehouse.query('SELECT SYSTEM$PIPE_STATUS(?) AS "status"', [
        qualifiedName('RAW_CLR', `${table.toUpperCase()}_PIPE`),
      ]);
      expect(JSON.parse(String(row?.status))).toMatchObject({ pendingFileCount: 0 });
    },
    { timeout: 20_000, interval: 20 },
  );
}

const rowsInRaw = async (): Promise<number> =>
  Number((await snowflake.warehouse.query(`SELECT COUNT(*) AS N FROM ${qualifiedName('RAW_CLR', table.toUpperCase())}`))[0]!.N);

/** As if the state had been entered so long ago. */
async function waitedFor(step: WarehouseStep, minutes: number): Promise<void> {
  const now = Date.now();
  await writeLoadClock(step.state, step.run.runId, { progressAt: now - minutes * 60_000, rows: 0, lookedAt: now, refreshedAt: null });
}

describe('COPY (Snowflake, S3 and DynamoDB local)', () => {
  const loader = { loader: 'copy' } as const;

  it('loads the files of the manifest and no other', async () => {
    const step = await sealed(good, loader);
    await put(step, step.key.replace('a000', 'b000'), good);
    await polled(step);
    expect(await awaitLoad(step)).toEqual({ loaded: true });
    expect(await rowsInRaw()).toBe(2);
  });

  it('says which file, row, column and value were rejected, and is submitted again by a redrive', async () => {
    const step = await sealed(bad, loader);
    await expect(polled(step)).rejects.toMatchObject({ code: 'LoadRejected', message: rejection(step.key) });
    await put(step, step.key, good);
    await polled(step);
  });
});

describe('a pipe (Snowflake, S3 and DynamoDB local)', () => {
  it('that heard of nothing is refreshed after 3 minutes', async () => {
    const step = await sealed(good, {});
    expect(await awaitLoad(step)).toEqual({ loaded: false });
    await waitedFor(step, 4);
    expect(await awaitLoad(step)).toEqual({ loaded: false });
    expect((await readLoadClock(step.state, step.run.runId))!.refreshedAt).not.toBeNull();
    await polled(step);
  });

  it('that rejects a file fails the run with file, row, column and value', async () => {
    const step = await sealed(bad, {});
    await waitedFor(step, 4);
    await expect(polled(step)).rejects.toMatchObject({ code: 'LoadRejected', message: rejection(step.key) });
  });

  it('that is paused fails the run with the command that resumes it', async () => {
    const step = await sealed(good, {});
    const pipe = qualifiedName('RAW_CLR', `${table.toUpperCase()}_PIPE`);
    await snowflake.warehouse.query(`ALTER PIPE ${pipe} SET PIPE_EXECUTION_PAUSED = TRUE`);
    const error = (await awaitLoad(step).catch((thrown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'PipePaused' });
    await snowflake.warehouse.query(/ALTER PIPE .*FALSE/.exec(error.message)![0]);
    expect(await awaitLoad(step)).toEqual({ loaded: false });
  });

  it('without progress for 30 minutes fails the run; a redrive waits anew', async () => {
    const step = await sealed(good, {});
    await waitedFor(step, 31);
    await expect(awaitLoad(step)).rejects.toMatchObject({ code: 'LoadIncomplete', message: expect.stringContaining(step.key) });
    expect(await awaitLoad(step)).toEqual({ loaded: false });
  });

  it('that loads after its run has failed lets a redrive go on', async () => {
    const step = await sealed(good, {});
    await waitedFor(step, 31);
    await expect(awaitLoad(step)).rejects.toMatchObject({ code: 'LoadIncomplete' });
    await notify(step.key);
    await polled(step);
    await submitProcess(step);
    while (!(await awaitProcess(step)).done);
    expect(await staged(snowflake.warehouse, step.plan)).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
  });

  it('that hears of files twice and in another order loads each once', async () => {
    const step = await sealed(good, {}, ['a000', 'a001', 'a002']);
    for (const part of ['a002', 'a000', 'a002', 'a001', 'a000']) await notify(step.key.replace('a000', part));
    await polled(step);
    await queueEmpty();
    expect(await rowsInRaw()).toBe(6);
  });

  it('that loads files of a dead attempt keeps nobody waiting, and they are not merged', async () => {
    const step = await sealed(good, {});
    const orphan = step.key.replace('a000', 'b000');
    await put(step, orphan, `SELECT 9::BIGINT AS "ID", 'orphan' AS "NOTE"`);
    await notify(orphan);
    await vi.waitFor(async () => expect(await rowsInRaw()).toBe(1), { timeout: 20_000, interval: 20 });
    expect(await awaitLoad(step)).toEqual({ loaded: false });
    await notify(step.key);
    await polled(step);
    await submitProcess(step);
    while (!(await awaitProcess(step)).done);
    expect((await staged(snowflake.warehouse, step.plan)).map(([id]) => id)).toEqual([1, 2]);
  });

  it('that is late is waited for, as long as any file comes', async () => {
    const step = await sealed(good, {}, ['a000', 'a001']);
    await waitedFor(step, 29);
    await notify(step.key);
    await vi.waitFor(async () => expect(await rowsInRaw()).toBe(2), { timeout: 20_000, interval: 20 });
    const now = Date.now();
    expect(await awaitLoad(step)).toEqual({ loaded: false });
    const clock = (await readLoadClock(step.state, step.run.runId))!;
    expect(clock.progressAt).toBeGreaterThanOrEqual(now);
    expect(clock.refreshedAt).toBeNull();
    await notify(step.key.replace('a000', 'a001'));
    await polled(step);
  });

  it('that commits a file in chunks is waited for until all of its rows are there, also where one chunk came twice', async () => {
    const step = await sealed(good, {});
    const file = { file: step.key };
    await load(snowflake.warehouse, step.plan, [[1, 'a']], file);
    expect(await awaitLoad(step)).toEqual({ loaded: false });
    await load(snowflake.warehouse, step.plan, [[1, 'a']], file);
    expect(await awaitLoad(step)).toEqual({ loaded: false });
    await load(snowflake.warehouse, step.plan, [[2, 'b']], { ...file, firstRow: 2 });
    expect(await awaitLoad(step)).toEqual({ loaded: true });
  });

  it.each([
    [
      'that Snowflake has stopped fails the run with its reason',
      'STALLED_STAGE_PERMISSION_ERROR',
      'Access Denied',
      'is STALLED_STAGE_PERMISSION_ERROR (Access Denied). Mend',
    ],
    ['that is paused fails the run with its reason', 'PAUSED', undefined, 'is PAUSED. Resume it: ALTER PIPE'],
  ])('%s (status scripted)', async (_, executionState, error, text) => {
    const warehouse = { query: async () => [{ status: JSON.stringify({ executionState, error }) }] } as unknown as Warehouse;
    await expect(refusePausedPipe(warehouse, planOf('orders', 1))).rejects.toMatchObject({
      code: 'PipePaused',
      message: expect.stringContaining(text),
    });
  });
});
