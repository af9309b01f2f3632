import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishRun, readRun } from '../../../core/state/runs.js';
import { type LocalSnowflake, startLocalSnowflake } from '../sql/local-snowflake.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';
import { putParquet } from './parquet-file.js';
import { beginRun, type RunInProgress, type Surroundings } from './run-in-progress.js';

/** The bucket of the stage that test/unit/sql/local-snowflake.ts makes. */
const bucket = 'firn-dev-raw';
let aws: LocalAws;
let snowflake: LocalSnowflake;
let surroundings: Surroundings;
let invoke: (name: 'seal' | 'warehouse', event: object) => Promise<Record<string, unknown>>;

beforeAll(async () => {
  aws = await startLocalAws();
  const raw = { client: new S3Client({}), bucket };
  await raw.client.send(new CreateBucketCommand({ Bucket: bucket }));
  snowflake = await startLocalSnowflake(aws.endpoint);
  await new SecretsManagerClient({}).send(
    new CreateSecretCommand({ Name: 'firn/test/snowflake', SecretString: JSON.stringify(snowflake.secret) }),
  );
  surroundings = { documents: await createStateTable('state'), raw, warehouse: snowflake.warehouse, executions: new ExecutionsDouble() };
  Object.assign(process.env, {
    RUNTIME_STATE: 'state',
    RAW_BUCKET: bucket,
    SNOWFLAKE_SECRET: 'firn/test/snowflake',
    INGEST_STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:ingest',
  });
  const handlers = {
    seal: await import('../../../lambdas/seal/handler.js'),
    warehouse: await import('../../../lambdas/warehouse/handler.js'),
  };
  const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 60_000 };
  invoke = async (name, event) => (await handlers[name].handler(event, context)) as Record<string, unknown>;
});
afterAll(() => Promise.all([aws?.stop(), snowflake?.stop()]));

async function begun(table: string): Promise<RunInProgress> {
  const keyOf = (runId: string) => `PostgreSQL/clr/${table}/2025-11-05/12/${runId}-0000-a000.parquet`;
  const run = await beginRun(surroundings, table, ({ runId }) => [{ key: keyOf(runId), rows: 2, bytes: 1 }], { loader: 'copy' });
  await putParquet(
    surroundings.raw,
    run.plan,
    keyOf(run.plan.run.runId),
    `SELECT 1::BIGINT AS "ID", 'a' AS "NOTE" UNION ALL SELECT 2, 'b'`,
  );
  return run;
}

const polled = async (action: string, run: object, done: string) => {
  while (!(await invoke('warehouse', { action, run, queryId: '' }))[done]);
};

describe('the functions seal and warehouse (AWS and Snowflake local)', () => {
  it('take runs of several tables from Prepare to Record in one warm container', async () => {
    for (const table of ['handled_a', 'handled_b']) {
      const { run } = (await begun(table)).plan;
      expect(await invoke('warehouse', { action: 'prepare', run })).toEqual({});
      expect(await invoke('seal', { action: 'seal', run })).toEqual({ files: 1, rows: 2 });
      await polled('await-load', run, 'loaded');
      expect(await invoke('warehouse', { action: 'process', run })).toEqual({ queryId: expect.any(String) });
      await polled('await-process', run, 'done');
      expect(await invoke('warehouse', { action: 'verify', run })).toEqual({});
      const state = { ...surroundings, table: 'state' };
      expect((await readRun(state, run.runId))!.result).toMatchObject({ rows_inserted: 2 });
      await finishRun(state, run.runId, { status: 'SUCCEEDED', finishedAt: new Date().toISOString(), error: null });
      expect(await invoke('warehouse', { action: 'record', run })).toEqual({});
      const [row] = await snowflake.warehouse.query('SELECT status AS STATUS FROM FIRN.RUNS WHERE run_id = ?', [run.runId]);
      expect(row).toEqual({ STATUS: 'SUCCEEDED' });
    }
  });

  it("give the source's permit back before Snowflake is spoken to", async () => {
    const { run } = (await begun('permitted')).plan;
    const Key = { pk: 'PostgreSQL#clr', sk: 'permit#0' };
    const arn = `arn:aws:states:us-east-1:000000000000:execution:ingest:${run.runId}`;
    await surroundings.documents.send(new PutCommand({ TableName: 'state', Item: { ...Key, arn } }));
    await invoke('seal', { action: 'seal', run });
    expect((await surroundings.documents.send(new GetCommand({ TableName: 'state', Key }))).Item).toEqual(Key);
  });

  it('throw errors by their code, in the record and in the log of the run', async () => {
    const { run } = (await begun('failing')).plan;
    await expect(invoke('warehouse', { action: 'await-load', run })).rejects.toMatchObject({ name: 'Internal' });
    expect((await readRun({ ...surroundings, table: 'state' }, run.runId))!.lastError).toMatchObject({
      step: 'await-load',
      error: { code: 'Internal' },
    });
    const logs = await surroundings.raw.client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `_logs/${run.runId}/` }));
    expect(logs.KeyCount).toBeGreaterThan(0);
  });

  it('record a call that was refused', async () => {
    const receipt = {
      run_id: '01JCREJECTED00000000000001',
      status: 'REJECTED',
      source: '',
      database: 'clr',
      table: 'x',
      finished_at: '2025-11-05T12:00:00Z',
      error: null,
    };
    expect(await invoke('warehouse', { action: 'record-rejection', receipt })).toEqual({});
    const [row] = await snowflake.warehouse.query('SELECT status AS STATUS FROM FIRN.RUNS WHERE run_id = ?', [receipt.run_id]);
    expect(row).toEqual({ STATUS: 'REJECTED' });
  });
});
