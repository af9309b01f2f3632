import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Client } from 'pg';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sourceItem, tableItem } from '../../../core/config/items.js';
import { sourceConfigSchema, type TableConfig } from '../../../core/config/schema.js';
import { createLog } from '../../../core/log.js';
import type { Mode, Plan, RunRef } from '../../../core/plan/plan.js';
import { planKey } from '../../../core/raw-bucket/layout.js';
import { readPlan } from '../../../core/raw-bucket/run-documents.js';
import { postgresSession } from '../../../core/source/postgres/source.js';
import { defaultPolicies } from '../../../core/source/postgres/types.js';
import { commitTable, joinOrStart } from '../../../core/state/claim.js';
import { readTableState } from '../../../core/state/table-state.js';
import { acquireTurn, type Planning, planRun } from '../../../core/workflow/plan-run.js';
import { type RunningPostgres, startPostgres } from '../source/running-postgres.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';

let aws: LocalAws;
let server: RunningPostgres;
let documents: DynamoDBDocumentClient;
let admin: Client;
let executions: ExecutionsDouble;
let planning: Planning;
const bucket = 'raw';

beforeAll(async () => {
  [aws, server] = await Promise.all([startLocalAws(), startPostgres()]);
  documents = await createStateTable('state');
  await createStateTable('config');
  const client = new S3Client({});
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  admin = await server.connect();
  planning = {
    state: { documents, table: 'state', executions: new ExecutionsDouble() },
    configs: { documents, table: 'config' },
    raw: { client, bucket },
    withSource: async (_settings, work) => work(postgresSession(admin)),
    log: createLog({}),
  };
});
afterAll(() => Promise.all([aws.stop(), server.stop()]));

let database: string;
beforeEach(async () => {
  database = `clr_${ulid()}`;
  executions = new ExecutionsDouble();
  planning.state.executions = executions;
  planning.chunkBytes = undefined;
  await admin.query(`DROP TABLE IF EXISTS orders CASCADE; DROP TYPE IF EXISTS former, mood; CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TABLE orders (id bigserial PRIMARY KEY, amount numeric(12,2), changed timestamptz DEFAULT now(), note text, code varchar(10),
      a int, b int, mood mood);
    INSERT INTO orders (amount) SELECT i FROM generate_series(1, 100) i; ANALYZE orders`);
});

async function configure(table: Partial<TableConfig>, settings: { permits?: number } = {}): Promise<void> {
  const { tables, ...source } = sourceConfigSchema.parse({
    source: 'PostgreSQL',
    database,
    type: 'postgres',
    ...settings,
    tables: [{ table: 'orders', ...table }],
  });
  for (const Item of [sourceItem(source, 1), tableItem('PostgreSQL', database, tables[0]!, 3)]) {
    await documents.send(new PutCommand({ TableName: 'config', Item }));
  }
}

async function begin(mode: Mode): Promise<RunRef> {
  const run: RunRef = { runId: ulid(), source: 'PostgreSQL', database, table: 'orders' };
  await joinOrStart(planning.state, run, mode);
  return run;
}

async function planned(mode: Mode): Promise<Plan> {
  const run = await begin(mode);
  expect(await acquireTurn(planning, run)).toEqual({ acquired: true });
  await planRun(planning, run);
  return readPlan(planning.raw, run.runId);
}

async function committed(mode: Mode): Promise<Plan> {
  const plan = await planned(mode);
  await commitTable(planning.state, plan.run, plan);
  executions.set(plan.run.runId, 'succeeded');
  return plan;
}

const incremental = { mode: 'incremental', cursor_column: 'changed' } as const;

describe('a plan (PostgreSQL, DynamoDB and S3 local, executions in memory)', () => {
  it('reads everything at first, then from the safe bound on', async () => {
    await configure(incremental);
    const first = await committed('incremental');
    expect(first.cursor).toEqual({ column: 'changed', from: null, onNull: 'error' });
    expect(first.watermarkBefore).toBeNull();
    expect(first).toMatchObject({ baseVersion: 0, configVersion: 3, primaryKey: ['ID'], deletes: { detect: false } });
    expect(first.prefix).toMatch(new RegExp(`^PostgreSQL/${database}/orders/\\d{4}-\\d\\d-\\d\\d/\\d\\d/$`));

    const second = await committed('incremental');
    expect(second.baseVersion).toBe(1);
    expect(second.watermarkBefore).toEqual(first.watermarkAfter);
    expect(second.cursor!.from).toBe(first.watermarkAfter!.lowerBound);
    expect(Date.parse(first.watermarkAfter!.safe!) - Date.parse(second.cursor!.from!)).toBe(60_000);
    expect(second.order > first.order).toBe(true);
  });

  it('applies a lookback that was raised since at once', async () => {
    await configure(incremental);
    const first = await committed('incremental');
    await configure({ ...incremental, lookback_seconds: 3600 });
    const second = await planned('incremental');
    expect(Date.parse(first.watermarkAfter!.safe!) - Date.parse(second.cursor!.from!)).toBe(3_600_000);
  });

  it('reads everything when the cursor column was changed', async () => {
    await configure(incremental);
    await committed('incremental');
    await configure({ mode: 'incremental', cursor_column: 'id' });
    expect((await planned('incremental')).cursor).toEqual({ column: 'id', from: null, onNull: 'error' });
  });

  it('reads everything again when the numbers of an integer cursor began anew', async () => {
    await configure({ mode: 'incremental', cursor_column: 'id' });
    await committed('incremental');
    await admin.query('TRUNCATE orders RESTART IDENTITY; INSERT INTO orders (amount) VALUES (1), (2)');
    const plan = await committed('incremental');
    expect(plan.cursor!.from).toBeNull();
    expect(plan.warnings.join()).toContain('the greatest id is 2, less than the 100');
    expect((await planned('incremental')).cursor!.from).toBe('2');
  });

  it.each<{ what: string; why: string; source?: string; config?: Partial<TableConfig> }>([
    { what: 'a column with a default came', why: 'vat is new', source: 'ALTER TABLE orders ADD COLUMN vat int NOT NULL DEFAULT 19' },
    { what: 'a column was renamed', why: 'note is now named remark', source: 'ALTER TABLE orders RENAME note TO remark' },
    {
      what: 'two columns were swapped',
      why: 'a is now named b; b is now named a',
      source: 'ALTER TABLE orders RENAME a TO c; ALTER TABLE orders RENAME b TO a; ALTER TABLE orders RENAME c TO b',
    },
    {
      what: 'a column was dropped and added again',
      why: 'note was dropped and added again',
      source: "ALTER TABLE orders DROP note; ALTER TABLE orders ADD note text DEFAULT 'new'",
    },
    {
      what: 'the table was dropped and made again',
      why: 'it was dropped and made again',
      source:
        'CREATE TABLE other (LIKE orders INCLUDING ALL); INSERT INTO other TABLE orders; DROP TABLE orders CASCADE; ALTER TABLE other RENAME TO orders',
    },
    {
      what: 'a column was given another type',
      why: 'amount was numeric(12,2) and is numeric(12,1)',
      source: 'ALTER TABLE orders ALTER amount TYPE numeric(12,1)',
    },
    {
      what: 'a column was given a type of the same name',
      why: 'mood was mood and is mood',
      source: "ALTER TYPE mood RENAME TO former; CREATE TYPE mood AS ENUM ('sad'); ALTER TABLE orders ALTER mood TYPE mood USING 'sad'",
    },
    { what: 'a column is renamed on its way', why: 'note was NOTE in Snowflake', config: { columns: { rename: { note: 'REMARK' } } } },
    {
      what: 'a policy is another',
      why: 'another policy holds for amount',
      config: {
        policies: {
          numeric_nan: 'null',
          unbounded_numeric: 'text',
          date_out_of_range: 'error',
          json: 'error',
          time: 'time',
          tinyint1: 'number',
        },
      },
    },
    { what: 'a column is masked', why: 'another policy holds for note', config: { columns: { mask: { note: 'sha256' } } } },
    { what: 'the filter is another', why: 'row_filter is another', config: { row_filter: 'amount < 1000 -- all of them' } },
    {
      what: 'the table in Snowflake is another',
      why: `its table in Snowflake was`,
      config: { target: { table: 'ORDERS_2' } },
    },
  ])('reads everything again when $what: no cursor rises by that', async ({ why, source = '', config = {} }) => {
    await configure(incremental);
    await committed('incremental');
    await admin.query(source);
    await configure({ ...incremental, ...config });
    const plan = await committed('incremental');
    expect(plan).toMatchObject({ mode: 'incremental', cursor: { from: null } });
    expect(plan.warnings.join()).toMatch(/Everything is read again, because /);
    expect(plan.warnings.join()).toContain(why);
    expect((await planned('incremental')).cursor!.from).not.toBeNull();
  });

  it.each([
    { what: 'an integer got more bytes', source: 'ALTER TABLE orders ALTER a TYPE bigint' },
    { what: 'a text lost its limit', source: 'ALTER TABLE orders ALTER code TYPE text' },
    { what: 'a number got more digits', source: 'ALTER TABLE orders ALTER amount TYPE numeric(14,2)' },
    { what: 'a column was dropped', source: 'ALTER TABLE orders DROP note' },
    { what: 'the table was rewritten', source: 'VACUUM FULL orders' },
  ])('goes on when $what', async ({ source }) => {
    await configure(incremental);
    await committed('incremental');
    await admin.query(source);
    expect((await planned('incremental')).cursor!.from).not.toBeNull();
  });

  it('goes on when a column takes longer values from now on', async () => {
    await configure(incremental);
    await committed('incremental');
    await configure({ ...incremental, columns: { large: ['note'] } });
    const plan = await planned('incremental');
    expect(plan.cursor!.from).not.toBeNull();
    expect(plan.columns.find(({ name }) => name === 'note')).toMatchObject({ raw: 'VARCHAR(134217728)', staging: 'VARCHAR(134217728)' });
  });

  it('goes on when a column was renamed that keeps its name in Snowflake', async () => {
    await configure(incremental);
    await committed('incremental');
    await admin.query('ALTER TABLE orders RENAME note TO remark');
    await configure({ ...incremental, columns: { rename: { remark: 'NOTE' } } });
    const plan = await planned('incremental');
    expect(plan.cursor!.from).not.toBeNull();
    expect(plan.warnings.join()).toContain('Column note was renamed to remark at the source. It stays NOTE in Snowflake.');
  });

  it('tells of a renamed column in a full run too', async () => {
    await configure({});
    await committed('full');
    await admin.query('ALTER TABLE orders RENAME note TO remark');
    expect((await planned('full')).warnings).toContain(
      'Column note was renamed to remark at the source. Its values go to REMARK from now on, and NOTE is no longer filled.',
    );
  });

  it.each<{ what: string; body: string }>([
    { what: 'of another version', body: '{"version": 7}' },
    { what: 'no plan', body: 'null' },
  ])('reads everything again when the plan of the last run is $what', async ({ body }) => {
    await configure(incremental);
    const last = await committed('incremental');
    await planning.raw.client.send(new PutObjectCommand({ Bucket: bucket, Key: planKey(last.run.runId), Body: body }));
    const plan = await committed('incremental');
    expect(plan.cursor!.from).toBeNull();
    expect(plan.warnings.join()).toContain('Everything is read again, because the plan of the last run is gone, or is one');
    expect((await planned('incremental')).cursor!.from).not.toBeNull();
  });

  it('refuses an incremental run by another key; a full one replaces all rows, read in one piece', async () => {
    await configure(incremental);
    await committed('incremental');
    await admin.query(`ALTER TABLE orders ADD COLUMN uid uuid NOT NULL DEFAULT gen_random_uuid(), DROP CONSTRAINT orders_pkey;
      ALTER TABLE orders ADD PRIMARY KEY (uid)`);
    const run = await begin('incremental');
    await acquireTurn(planning, run);
    await expect(planRun(planning, run)).rejects.toMatchObject({
      code: 'PrimaryKeyChanged',
      message: expect.stringContaining('was (ID) and is now (UID)'),
    });
    executions.set(run.runId, 'failed');
    await configure({ ...incremental, partition_column: 'id' });
    planning.chunkBytes = 1000;
    const full = await committed('full');
    expect(full).toMatchObject({ replaces: true, primaryKey: ['UID'], deletes: { detect: true } });
    expect(full.chunks).toHaveLength(1);
    planning.chunkBytes = undefined;
    expect((await planned('incremental')).replaces).toBeUndefined();
  });

  it('refuses an incremental run by a key of another type; a full one replaces all rows', async () => {
    await configure(incremental);
    await committed('incremental');
    await admin.query('ALTER TABLE orders ALTER id DROP DEFAULT, ALTER id TYPE text');
    const run = await begin('incremental');
    await acquireTurn(planning, run);
    await expect(planRun(planning, run)).rejects.toMatchObject({ code: 'PrimaryKeyChanged' });
    executions.set(run.runId, 'failed');
    expect(await committed('full')).toMatchObject({ replaces: true });
    expect((await planned('incremental')).replaces).toBeUndefined();
  });

  it('refuses a mask that makes the key of all rows NULL: they would be one row', async () => {
    await configure({ columns: { mask: { id: 'null' } } });
    const run = await begin('full');
    await acquireTurn(planning, run);
    await expect(planRun(planning, run)).rejects.toMatchObject({
      code: 'ConfigInvalid',
      message: expect.stringContaining('public.orders: columns.mask makes id NULL in all rows'),
    });
  });

  it.each([
    { type: 'numeric', refused: true },
    { type: 'float8', refused: false },
  ])(
    'a key of $type under unbounded_numeric float, refused: $refused, since two numbers may have one double',
    async ({ type, refused }) => {
      await admin.query(`ALTER TABLE orders ALTER id DROP DEFAULT, ALTER id TYPE ${type}`);
      await configure({ policies: { ...defaultPolicies, time: 'time', tinyint1: 'number', unbounded_numeric: 'float' } });
      const run = await begin('full');
      await acquireTurn(planning, run);
      const planned = await planRun(planning, run).catch((error: unknown) => error);
      if (refused) expect(planned).toMatchObject({ code: 'ConfigInvalid', message: expect.stringContaining('makes doubles of id') });
      else expect(planned).not.toBeInstanceOf(Error);
    },
  );

  it('a full run of an incremental table reads everything, detects deletes and moves the watermark', async () => {
    await configure({ mode: 'incremental', cursor_column: 'id' });
    const full = await committed('full');
    expect(full).toMatchObject({ mode: 'full', cursor: null, deletes: { detect: true } });
    const next = await planned('incremental');
    expect(next.cursor!.from).toBe('100');
  });

  it('is held back by an open transaction, and says by whom; warns when that is old', async () => {
    await configure({ ...incremental, hold_back_warning_seconds: 0 });
    const writer = await server.connect({ application: 'billing' });
    await writer.query('BEGIN');
    const { rows } = await writer.query('SELECT pg_backend_pid() AS pid');
    const plan = await committed('incremental');
    await configure({ ...incremental });
    const later = await planned('incremental');
    await writer.query('ROLLBACK');
    expect(plan.heldBack).toMatchObject({ pid: rows[0].pid, prepared: null, application: 'billing', seconds: 0 });
    expect(later.heldBack).toMatchObject({ pid: rows[0].pid, since: plan.heldBack!.since });
    expect(later.warnings).toEqual([]);
    expect(plan.warnings.join()).toContain(`Session ${rows[0].pid} (postgres, billing)`);
  });

  it('is written once: a second call answers the first', async () => {
    await configure({});
    const run = await begin('full');
    await acquireTurn(planning, run);
    const chunks = await planRun(planning, run);
    const before = await readPlan(planning.raw, run.runId);
    planning.chunkBytes = 10;
    expect(await planRun(planning, run)).toEqual(chunks);
    expect(await readPlan(planning.raw, run.runId)).toEqual(before);
  });

  it('is refused once a newer run has committed', async () => {
    await configure({});
    const run = await begin('full');
    await acquireTurn(planning, run);
    await planRun(planning, run);
    executions.set(run.runId, 'failed');
    await committed('full');
    await expect(planRun(planning, run)).rejects.toMatchObject({ name: 'Superseded' });
  });

  it('lets nobody join from then on, even when it fails', async () => {
    await configure({ mode: 'incremental', cursor_column: 'gone' });
    const run = await begin('incremental');
    await acquireTurn(planning, run);
    await expect(planRun(planning, run)).rejects.toMatchObject({ code: 'CursorColumnMissing' });
    expect((await readTableState(planning.state, run)).current).toMatchObject({ runId: run.runId, snapshotTaken: true });
  });

  it('splits a large table by its key, which leaves deletes undetected', async () => {
    await configure({});
    planning.chunkBytes = 1000;
    const plan = await planned('full');
    expect(plan.chunks.length).toBeGreaterThan(2);
    expect(plan.chunks[0]).toMatchObject({ column: 'id', from: null });
    expect(plan.deletes.detect).toBe(false);
    expect(plan.warnings.join()).toContain('rows deleted at the source are not detected');
  });

  it('reads a large table without an integer key in one piece, and says so', async () => {
    await admin.query('ALTER TABLE orders DROP COLUMN id; ALTER TABLE orders ADD PRIMARY KEY (amount)');
    await configure({});
    planning.chunkBytes = 1000;
    const plan = await planned('full');
    expect(plan.chunks).toHaveLength(1);
    expect(plan.warnings.join()).toContain('partition_column');
  });

  it.each([
    { name: 'no primary key', prepare: 'ALTER TABLE orders DROP CONSTRAINT orders_pkey', config: incremental, code: 'PrimaryKeyMissing' },
    { name: 'an excluded key', prepare: '', config: { ...incremental, columns: { exclude: ['id'] } }, code: 'PrimaryKeyMissing' },
    { name: 'no cursor column', prepare: '', config: { mode: 'incremental' }, code: 'CursorColumnMissing' },
    {
      name: 'a JSON cursor',
      prepare: 'ALTER TABLE orders ADD doc jsonb',
      config: { mode: 'incremental', cursor_column: 'doc' },
      code: 'CursorColumnUnsuitable',
    },
    {
      name: 'NULL cursors',
      prepare: 'UPDATE orders SET changed = NULL WHERE id <= 3',
      config: incremental,
      code: 'CursorIsNull',
      message: '3 rows',
    },
    { name: 'no table', prepare: 'DROP TABLE orders', config: {}, code: 'SourceTableMissing' },
  ])('is refused: $name', async ({ prepare, config, code, message = '' }) => {
    await admin.query(prepare);
    await configure(config as Partial<TableConfig>);
    const run = await begin(
      config === incremental || 'cursor_column' in config ? 'incremental' : ((config as { mode?: Mode }).mode ?? 'full'),
    );
    await acquireTurn(planning, run);
    await expect(planRun(planning, run)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe('a permit of the source', () => {
  it('is waited for', async () => {
    await configure({}, { permits: 1 });
    await documents.send(
      new PutCommand({ TableName: 'state', Item: { pk: `PostgreSQL#${database}`, sk: 'permit#0', arn: executions.arn('another') } }),
    );
    executions.set('another', 'alive');
    const run = await begin('full');
    expect(await acquireTurn(planning, run)).toEqual({ acquired: false });
    executions.set('another', 'succeeded');
    expect(await acquireTurn(planning, run)).toEqual({ acquired: true });
  });
});

describe('ingest_plan: the handler with AWS local', () => {
  const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 60_000 };
  const invoke = async (event: object) => {
    Object.assign(process.env, {
      TABLE_CONFIG: 'config',
      RUNTIME_STATE: 'state',
      RAW_BUCKET: bucket,
      FIRN_ENVIRONMENT: 'test',
      INGEST_STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:ingest',
    });
    const { handler } = await import('../../../lambdas/plan/handler.js');
    return handler(event, context);
  };
  const explain = () => invoke({ action: 'explain', run: { source: 'PostgreSQL', database, table: 'orders' } });

  async function putSecret(): Promise<void> {
    const secret = { host: '127.0.0.1', port: server.port, user: 'postgres', password: 'x', database: 'postgres', sslmode: 'disable' };
    await new SecretsManagerClient({}).send(
      new CreateSecretCommand({ Name: `firn/test/PostgreSQL/${database}`, SecretString: JSON.stringify(secret) }),
    );
  }

  it('shows what a run would do, and writes nothing', async () => {
    await configure(incremental);
    await putSecret();
    const before = (await planning.raw.client.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount;
    expect(await explain()).toMatchObject({
      mode: 'incremental',
      cursor: { column: 'changed', from: null },
      primary_key: ['ID'],
      chunks: 1,
      estimated_rows: 100,
      deletes: 'not detected',
      columns: expect.arrayContaining([
        expect.objectContaining({ name: 'amount', target: 'AMOUNT', source_type: 'numeric(12,2)', staging: 'NUMBER(12,2)' }),
      ]),
    });
    expect((await planning.raw.client.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount).toBe(before);
    expect(await readTableState(planning.state, { source: 'PostgreSQL', database, table: 'orders' })).toMatchObject({
      version: 0,
      fence: 0,
    });
  });

  it.each([
    ['an unknown table', async () => {}, 'TableNotConfigured'],
    ['a missing secret', () => configure({}), 'SourceCredentialsRejected'],
  ])('answers what is wrong: %s', async (_name, prepare, code) => {
    await prepare();
    expect(await explain()).toMatchObject({ error: { code, action: expect.any(String) } });
  });
});
