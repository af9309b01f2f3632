import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient, UpdateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Client } from 'pg';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { sourceItem, tableItem } from '../../../core/config/items.js';
import { sourceConfigSchema, tableConfigSchema } from '../../../core/config/schema.js';
import { FirnError } from '../../../core/errors.js';
import { createLog } from '../../../core/log.js';
import { makePlan } from '../../../core/plan/make-plan.js';
import { type Chunk, type Plan, planSchema } from '../../../core/plan/plan.js';
import { planKey } from '../../../core/raw-bucket/layout.js';
import { type RawBucket, writeJsonOnce } from '../../../core/raw-bucket/objects.js';
import { postgresSession } from '../../../core/source/postgres/source.js';
import { joinOrStart } from '../../../core/state/claim.js';
import { recordPrepared } from '../../../core/state/runs.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { readProgress, takeByGlue } from '../../../core/workflow/chunk-parts.js';
import { extractChunk } from '../../../core/workflow/extract-chunk.js';
import { step } from '../../../lambdas/step.js';
import { type RunningPostgres, startPostgres } from '../source/running-postgres.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';

let aws: LocalAws;
let server: RunningPostgres;
let admin: Client;
let raw: RawBucket;

beforeAll(async () => {
  [aws, server] = await Promise.all([startLocalAws(), startPostgres()]);
  raw = { client: new S3Client({}), bucket: 'raw' };
  await raw.client.send(new CreateBucketCommand({ Bucket: raw.bucket }));
  admin = await server.connect();
});
afterAll(() => Promise.all([aws.stop(), server.stop()]));
beforeEach(() =>
  admin.query(`SELECT pg_advisory_unlock_all(); DROP TABLE IF EXISTS orders CASCADE;
    CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric(12,2), changed timestamptz DEFAULT '2025-11-05 12:00+00');
    INSERT INTO orders SELECT i, i / 4.0 FROM generate_series(1, 1000) i; ANALYZE orders`),
);

const log = createLog({});
async function planned(config: object = {}, chunkBytes?: number): Promise<Plan> {
  const parsed = tableConfigSchema.parse({ table: 'orders', ...config });
  const relation = { schema: 'public', table: 'orders' };
  const run = { runId: ulid(), source: 'PostgreSQL', database: 'clr', table: 'orders' };
  const table = {
    run,
    mode: null,
    config: parsed,
    configVersion: 1,
    sourceType: 'postgres',
    fence: 7,
    baseVersion: 0,
    watermark: null,
    checkpoints: [],
    chunkBytes,
  } as const;
  const session = postgresSession(admin);
  const described = await session.describeTable(relation, parsed);
  return (await makePlan(session, { ...table, checkpoints: [], last: null }, described, new Date())).plan;
}

const connection = () =>
  ({ host: '127.0.0.1', port: server.port, user: 'postgres', password: '', database: 'postgres', sslmode: 'disable' }) as const;

const run = (plan: Plan, chunk = 0, signal = new AbortController().signal) =>
  extractChunk({ run: plan.run, plan, raw, connection: connection(), log, signal }, chunk);

/** Data files under the plan's prefix that are the run's. */
async function filesOf(plan: Plan): Promise<string[]> {
  const { Contents = [] } = await raw.client.send(
    new ListObjectsV2Command({ Bucket: raw.bucket, Prefix: `${plan.prefix}${plan.run.runId}` }),
  );
  return Contents.map(({ Key }) => Key!);
}

/** Until a session waits for a lock of `admin`. */
async function waitingForLock(): Promise<void> {
  for (;;) {
    const { rowCount } = await admin.query('SELECT 1 FROM pg_locks WHERE NOT granted');
    if (rowCount) return;
  }
}

async function rowsOf(key: string, sql: string): Promise<unknown[][]> {
  const { Body } = await raw.client.send(new GetObjectCommand({ Bucket: raw.bucket, Key: key }));
  const { writeFile, mkdtemp } = await import('node:fs/promises');
  const file = `${await mkdtemp('/tmp/firn-test-parquet-')}/file.parquet`;
  await writeFile(file, await Body!.transformToByteArray());
  const connection = await (await DuckDBInstance.create()).connect();
  return (await connection.runAndReadAll(sql.replace('FILE', `'${file}'`))).getRowsJson();
}

describe('a chunk (PostgreSQL and S3 local)', () => {
  it('becomes Parquet files with the run in each row, and one part manifest', async () => {
    const plan = await planned();
    const part = await run(plan);
    expect(part).toMatchObject({ runId: plan.run.runId, chunk: 0, rows: 1000, files: [{ rows: 1000, bytes: expect.any(Number) }] });
    const [key] = await filesOf(plan);
    expect(part.files[0]!.key).toBe(key);
    expect(key).toMatch(new RegExp(`^PostgreSQL/clr/orders/[0-9-]{10}/\\d\\d/${plan.run.runId}-0000-[0-9a-f]{12}000\\.parquet$`));
    const rows = await rowsOf(
      key!,
      'SELECT count(*), sum("AMOUNT")::varchar, min("_FIRN_RUN"), max("_FIRN_OP"), min("_FIRN_ORDER") FROM FILE',
    );
    expect(rows).toEqual([['1000', '125125.00', plan.run.runId, 'R', plan.order]]);
    expect((await readProgress(raw, plan.run.runId, plan.chunks[0]!)).parts[0]).toEqual(part);
  });

  it('that is a table of some size is read by two connections from one snapshot, and its files say whose they are', async () => {
    await admin.query(`ALTER TABLE orders ADD COLUMN note text;
      INSERT INTO orders SELECT i, 0, now(), repeat(md5(i::text), 8) FROM generate_series(1001, 50000) i`);
    const plan = await planned();
    expect(plan.chunks).toHaveLength(1);
    expect(await run(plan)).toMatchObject({ rows: 50_000, files: [expect.anything(), expect.anything()] });
    const files = await filesOf(plan);
    const held = await Promise.all(files.map((key) => rowsOf(key, 'SELECT count(*)::int, sum("ID")::int FROM FILE')));
    const total = (at: number): number => held.reduce((sum, [row]) => sum + Number(row![at]), 0);
    expect([total(0), total(1)]).toEqual([50_000, (50_000 * 50_001) / 2]);
    const said = await rowsOf(files[1]!, 'SELECT decode(key), decode(value) FROM parquet_kv_metadata(FILE)');
    expect(Object.fromEntries(said)).toMatchObject({
      'firn.source': 'PostgreSQL',
      'firn.database': 'clr',
      'firn.table': 'orders',
      'firn.run': plan.run.runId,
      'firn.schema': expect.stringContaining('{"name":"amount","target":"AMOUNT","type":"numeric(12,2)","nullable":true}'),
    });
  });

  it.each([
    { what: 'of which the configuration takes some rows', config: { row_filter: 'id > 0' }, user: 'postgres', warned: false },
    { what: 'for which the source has no second connection', config: {}, user: 'once_only', warned: true },
  ])('that is a table of some size, $what, is read by one connection', async ({ config, user, warned }) => {
    await admin.query(`DROP ROLE IF EXISTS once_only; CREATE ROLE once_only LOGIN CONNECTION LIMIT 1; GRANT SELECT ON orders TO once_only;
      ALTER TABLE orders ADD COLUMN note text;
      INSERT INTO orders SELECT i, 0, now(), repeat(md5(i::text), 8) FROM generate_series(1001, 50000) i`);
    const plan = await planned(config);
    const own = createLog({});
    const extracting = { run: plan.run, plan, raw, connection: { ...connection(), user }, log: own, signal: new AbortController().signal };
    expect(await extractChunk(extracting, 0)).toMatchObject({ rows: 50_000, files: [expect.anything()] });
    expect(/"level":"warn".*too many connections.*"read by fewer connections"/.test(own.lines())).toBe(warned);
    await admin.query('DROP OWNED BY once_only');
  });

  it('of no rows has no file', async () => {
    await admin.query('TRUNCATE orders');
    const plan = await planned();
    expect(await run(plan)).toMatchObject({ rows: 0, files: [] });
    expect(await filesOf(plan)).toEqual([]);
  });

  it('read twice leaves two files, of which the first one counts', async () => {
    const plan = await planned();
    const first = await run(plan);
    await admin.query('DELETE FROM orders WHERE id > 10');
    expect(await run(plan)).toEqual(first);
    expect(await filesOf(plan)).toHaveLength(2);
  });

  it('chunks together hold each row once, also those that came after planning', async () => {
    const plan = await planned({}, 8000);
    expect(plan.chunks.length).toBeGreaterThan(1);
    await admin.query('INSERT INTO orders VALUES (-5, 0), (5000, 0)');
    const parts = await Promise.all(plan.chunks.map(({ number }) => run(plan, number)));
    expect(parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(1002);
  });

  it.each(['at once', 'while it waits'])(
    'that runs out of time ends with that error, and leaves neither part nor file: %s',
    async (when) => {
      const plan = await planned();
      const limit = new AbortController();
      await admin.query('BEGIN; LOCK TABLE orders');
      const reading = run(plan, 0, limit.signal);
      if (when === 'while it waits') await waitingForLock();
      limit.abort(new FirnError('TimedOut', 'too long'));
      await expect(reading).rejects.toMatchObject({ name: 'TimedOut', message: 'too long' });
      await admin.query('ROLLBACK');
      expect((await readProgress(raw, plan.run.runId, plan.chunks[0]!)).parts).toEqual([]);
      expect(await filesOf(plan)).toEqual([]);
    },
  );

  it.each(['does not answer', 'is asked to slow down'])('ends with an error that the step retries when S3 %s', async (what) => {
    const plan = await planned();
    const client = new S3Client(what === 'does not answer' ? { endpoint: 'http://127.0.0.1:9', maxAttempts: 1 } : { maxAttempts: 1 });
    if (what !== 'does not answer') {
      const slowDown = Object.assign(new Error('Please reduce your request rate.'), {
        name: 'SlowDown',
        $metadata: { httpStatusCode: 503 },
      });
      client.middlewareStack.add(() => () => Promise.reject(slowDown), { step: 'deserialize' });
    }
    const handler = step('extract', z.object({ action: z.literal('extract') }), async () => {
      await extractChunk(
        { run: plan.run, plan, raw: { ...raw, client }, connection: connection(), log, signal: new AbortController().signal },
        0,
      );
      return {};
    });
    const failed = handler({ action: 'extract' }, { awsRequestId: 'request', getRemainingTimeInMillis: () => 60_000 });
    await expect(failed).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    expect(await filesOf(plan)).toEqual([]);
  });

  it('that has no more time hands the rest back at a step, and each row is read once', async () => {
    const plan = await planned({}, 8000);
    const chunk = plan.chunks[1]!;
    const reading = { run: plan.run, plan, raw, connection: connection(), log, signal: new AbortController().signal };
    const first = await extractChunk({ ...reading, until: 0 }, chunk.number);
    expect(first.rest).toEqual({ ...chunk, from: chunk.steps![0], steps: chunk.steps!.slice(1) });
    const second = await extractChunk({ ...reading, until: 0 }, chunk.number, await readProgress(raw, plan.run.runId, chunk));
    expect(second.rest?.from).toBe(chunk.steps![1]);
    const last = await extractChunk(reading, chunk.number, await readProgress(raw, plan.run.runId, chunk));
    expect(last.rest).toBeUndefined();
    const { parts, rest } = await readProgress(raw, plan.run.runId, chunk);
    expect(rest).toBeNull();
    expect(parts).toEqual([first, second, last]);
    const ids: unknown[] = [];
    for (const { key } of parts.flatMap(({ files }) => files)) ids.push(...(await rowsOf(key, 'SELECT "ID"::int FROM FILE')).flat());
    const { rows } = await admin.query(`SELECT id::int FROM orders WHERE id >= ${chunk.from} AND id < ${chunk.to} ORDER BY 1`);
    expect(ids.map(Number).toSorted((x, y) => x - y)).toEqual(rows.map(({ id }) => id));
  });

  /** Reads the second chunk, a part after each piece, and is told when a part is written. */
  function inParts(plan: Plan, signal = new AbortController().signal) {
    const chunk = plan.chunks[1]!;
    const reading = { run: plan.run, plan, raw, connection: connection(), log, signal, partAfter: 0 };
    return { chunk, read: async () => extractChunk(reading, 1, await progressOf(plan, chunk)) };
  }
  const progressOf = (plan: Plan, chunk: Chunk) => readProgress(raw, plan.run.runId, chunk);

  async function expectEachRowOnce(plan: Plan, chunk: Chunk): Promise<void> {
    const { parts, rest } = await progressOf(plan, chunk);
    expect(rest).toBeNull();
    const ids: unknown[] = [];
    for (const { key } of parts.flatMap(({ files }) => files)) ids.push(...(await rowsOf(key, 'SELECT "ID"::int FROM FILE')).flat());
    const { rows } = await admin.query(`SELECT id::int FROM orders WHERE id >= ${chunk.from} AND id < ${chunk.to} ORDER BY 1`);
    expect(ids.map(Number).toSorted((x, y) => x - y)).toEqual(rows.map(({ id }) => id));
  }

  /** From now on a read waits at the second chunk's third piece, until `let go`. The lock is `admin`'s. */
  async function haltAtThirdPiece(plan: Plan): Promise<Plan> {
    const from = plan.chunks[1]!.steps![1]!;
    await admin.query(`SELECT pg_advisory_lock(1); CREATE OR REPLACE FUNCTION halt() RETURNS boolean LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_advisory_lock_shared(1); PERFORM pg_advisory_unlock_shared(1); RETURN true; END $$`);
    return { ...plan, rowFilter: `id < ${from} OR halt()` };
  }
  const letGo = () => admin.query('SELECT pg_advisory_unlock(1)');

  it('keeps the parts it has written when its time is over in a later piece, and goes on after them', async () => {
    const plan = await haltAtThirdPiece(await planned({}, 8000));
    const limit = new AbortController();
    const { chunk, read } = inParts(plan, limit.signal);
    const cut = read();
    await waitingForLock();
    limit.abort(new FirnError('ChunkTimedOut', 'too long'));
    expect((await cut).rest?.from).toBe(chunk.steps![1]);
    const { parts } = await progressOf(plan, chunk);
    expect(parts.map(({ rest }) => rest?.from)).toEqual(chunk.steps!.slice(0, 2));
    // Without a part of its own there is nothing to hand back.
    await expect(read()).rejects.toMatchObject({ name: 'ChunkTimedOut' });
    await letGo();
    await inParts(plan).read();
    expect((await progressOf(plan, chunk)).parts.slice(0, 2)).toEqual(parts);
    await expectEachRowOnce(plan, chunk);
  });

  it('keeps the parts it has written when the source is lost in a later piece', async () => {
    const plan = await haltAtThirdPiece(await planned({}, 8000));
    const { chunk, read } = inParts(plan);
    // Listened to from the beginning: it may end before the statement that ends it is answered.
    const lost = expect(read()).rejects.toMatchObject({ name: 'SourceConnectionLost' });
    await waitingForLock();
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted`);
    await lost;
    expect((await progressOf(plan, chunk)).parts).toHaveLength(2);
    await letGo();
    await read();
    await expectEachRowOnce(plan, chunk);
  });

  it('read by two attempts at once, whose parts take turns, holds each row once', async () => {
    const plan = await planned({}, 8000);
    const { chunk, read } = inParts(plan);
    await Promise.all([
      read(),
      read(),
      extractChunk({ run: plan.run, plan, raw, connection: connection(), log, signal: new AbortController().signal }, 1),
    ]);
    await expectEachRowOnce(plan, chunk);
  });

  it('is left to Glue once Glue has taken the run: a function that still runs writes no part', async () => {
    const plan = await haltAtThirdPiece(await planned({}, 8000));
    const movable = { ...plan, engine: { name: 'lambda', reason: 'auto', movable: true } } as const;
    const { chunk, read } = inParts(movable);
    const givenUp = expect(read()).rejects.toMatchObject({ name: 'ChunkTooLarge' });
    await waitingForLock();
    await takeByGlue(raw, plan.run.runId);
    await letGo();
    await givenUp;
    expect((await progressOf(plan, chunk)).parts).toHaveLength(2);
  });

  it('ends when its time is over while S3 does not answer', async () => {
    const plan = await planned();
    const silent = createServer((socket) => socket.on('error', () => {}));
    const connected = once(silent, 'connection');
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const client = new S3Client({ endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, forcePathStyle: true });
    const limit = new AbortController();
    const reading = { run: plan.run, plan, raw: { ...raw, client }, connection: connection(), log, signal: limit.signal };
    const read = extractChunk(reading, 0);
    await connected;
    limit.abort(new FirnError('ChunkTimedOut', 'too long'));
    await expect(read).rejects.toMatchObject({ name: 'ChunkTimedOut' });
    client.destroy();
    silent.close();
  });

  it('of one snapshot is read to its end, however late', async () => {
    const plan = await planned();
    const reading = { run: plan.run, plan, raw, connection: connection(), log, signal: new AbortController().signal };
    expect(await extractChunk({ ...reading, until: 0 }, 0)).toMatchObject({ rows: 1000 });
  });

  it('whose part somebody else wrote meanwhile answers that part', async () => {
    const plan = await planned();
    const other = { runId: plan.run.runId, chunk: 0, files: [], rows: 0, readAsOf: '2025-11-05T12:00:00.000000Z', policyCounts: {} };
    await raw.client.send(
      new PutObjectCommand({ Bucket: raw.bucket, Key: `_manifests/${plan.run.runId}/parts/0000.json`, Body: JSON.stringify(other) }),
    );
    expect(await run(plan)).toEqual(other);
  });
});

describe('the function extract (PostgreSQL and AWS local; the run was begun by executions in memory)', () => {
  const secrets = () => new SecretsManagerClient({});
  const name = 'firn/test/PostgreSQL/clr';
  let state: RuntimeState;

  beforeAll(async () => {
    const documents = await createStateTable('state');
    await createStateTable('config');
    const { tables, ...source } = sourceConfigSchema.parse({
      source: 'PostgreSQL',
      database: 'clr',
      type: 'postgres',
      tables: [{ table: 'orders' }],
    });
    for (const Item of [sourceItem(source, 1), tableItem('PostgreSQL', 'clr', tables[0]!, 1)]) {
      await documents.send(new PutCommand({ TableName: 'config', Item }));
    }
    const secret = { host: '127.0.0.1', port: server.port, user: 'postgres', password: 'x', database: 'postgres', sslmode: 'disable' };
    await secrets().send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(secret) }));
    Object.assign(process.env, {
      RUNTIME_STATE: 'state',
      TABLE_CONFIG: 'config',
      RAW_BUCKET: raw.bucket,
      FIRN_ENVIRONMENT: 'test',
      INGEST_STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:ingest',
    });
    state = { documents, table: 'state', executions: new ExecutionsDouble() };
  });

  /** A planned run that has its table. */
  async function begun(config: object, chunkBytes?: number) {
    const plan = await planned(config, chunkBytes);
    await joinOrStart(state, plan.run, 'full');
    await writeJsonOnce(raw, planKey(plan.run.runId), planSchema, plan);
    await recordPrepared(state, plan.run.runId, { targets: { AMOUNT: 'AMOUNT__V2' }, notes: [] });
    const { handler } = await import('../../../lambdas/extract/handler.js');
    const invoke = (time = 60_000, chunk = 0) =>
      handler({ action: 'extract', run: plan.run, chunk }, { awsRequestId: 'request', getRemainingTimeInMillis: () => time });
    return { plan, invoke };
  }

  it('says what to do when its time is too short and there is no Glue; else reads its chunk once: a repeat leaves the source alone', async () => {
    const { plan, invoke } = await begun({ engine: 'lambda' });
    const message = "Chunk 0 of orders could not be read within the function's time, and there is no Glue for it (engine: lambda).";
    await expect(invoke(0)).rejects.toMatchObject({ name: 'ChunkTimedOut', message });
    expect(await filesOf(plan)).toEqual([]);
    expect(await invoke()).toEqual({ done: true });
    expect((await readProgress(raw, plan.run.runId, plan.chunks[0]!)).parts[0]).toMatchObject({ rows: 1000 });
    const { SecretString } = await secrets().send(new GetSecretValueCommand({ SecretId: name }));
    await secrets().send(new UpdateSecretCommand({ SecretId: name, SecretString: '{}' }));
    expect(await invoke()).toEqual({ done: true });
    await secrets().send(new UpdateSecretCommand({ SecretId: name, SecretString }));
    const files = await filesOf(plan);
    expect(files).toHaveLength(1);
    // Under the names that PREPARE_TABLE gave.
    expect(await rowsOf(files[0]!, 'SELECT sum("AMOUNT__V2")::varchar FROM FILE')).toEqual([['125125.00']]);
    await forget(plan);
  });

  it('gives a chunk to Glue when its time is too short, with what other calls have left of it', async () => {
    const { plan, invoke } = await begun({ engine: 'auto' }, 8000);
    const chunk = plan.chunks[1]!;
    const reading = { run: plan.run, plan, raw, connection: connection(), log, signal: new AbortController().signal };
    const first = await extractChunk({ ...reading, until: 0 }, 1);
    const message = "Chunk 1 of orders could not be read within the function's time: what is left of the table goes to Glue.";
    await expect(invoke(0, 1)).rejects.toMatchObject({ name: 'ChunkTooLarge', message });
    expect(await readProgress(raw, plan.run.runId, chunk)).toEqual({ parts: [first], rest: first.rest });
    await forget(plan);
  });

  /** Nobody has the table any more. */
  const forget = ({ run }: Plan) =>
    state.documents.send(new DeleteCommand({ TableName: 'state', Key: { pk: 'PostgreSQL#clr', sk: `table#${run.table}` } }));
});
