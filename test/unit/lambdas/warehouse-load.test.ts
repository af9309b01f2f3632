import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tablePrefix } from '../../../core/raw-bucket/layout.js';
import { qualifiedName } from '../../../core/warehouse/identifiers.js';
import { awaitLoad } from '../../../core/workflow/await-load.js';
import { readLoadClock, writeLoadClock } from '../../../core/workflow/load-clock.js';
import { prepare } from '../../../core/workflow/prepare.js';
import { sealRun } from '../../../core/workflow/seal-run.js';
import type { WarehouseStep } from '../../../core/workflow/warehouse-step.js';
import { type LocalSnowflake, startLocalSnowflake } from '../sql/local-snowflake.js';
import type { PlanChanges } from '../sql/table.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';
import { putParquet } from './parquet-file.js';
import { beginRun, type Surroundings } from './run-in-progress.js';

/** The bucket of the stage that test/unit/sql/local-snowflake.ts makes. */
const bucket = 'firn-dev-raw';
let aws: LocalAws;
let snowflake: LocalSnowflake;
let surroundings: Surroundings;

beforeAll(async () => {
  aws = await startLocalAws();
  const raw = { client: new S3Client({}), bucket };
  await raw.client.send(new CreateBucketCommand({ Bucket: bucket }));
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
const bad = `SELECT 'one' AS "ID", 'a' AS "NOTE" UNION ALL SELECT 'two', 'b'`;

/** A sealed run with one file of two rows. */
async function sealed(select: string, changes: PlanChanges): Promise<WarehouseStep & { key: string }> {
  const prefix = `${tablePrefix({ source: 'PostgreSQL', database: 'clr', table })}2025-11-05/12/`;
  const name = (runId: string) => `${prefix}${runId}-0000-a000.parquet`;
  let key = '';
  const run = await beginRun(
    surroundings,
    table,
    ({ runId }) => {
      key = name(runId);
      return [{ key, rows: 2, bytes: 1 }];
    },
    { prefix, ...changes },
  );
  const step = await run.hold();
  await prepare(step);
  await put(step, key, select);
  await sealRun(step);
  return { ...step, key };
}

async function polled(step: WarehouseStep): Promise<void> {
  while (!(await awaitLoad(step)).loaded);
}

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
    const [row] = await snowflake.warehouse.query(`SELECT COUNT(*) AS N FROM ${qualifiedName('RAW_CLR', table.toUpperCase())}`);
    expect(Number(row!.N)).toBe(2);
  });

  it('says which file and value were rejected, and is submitted again by a redrive', async () => {
    const step = await sealed(bad, loader);
    await expect(polled(step)).rejects.toMatchObject({ code: 'LoadRejected', message: expect.stringContaining('one') });
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

  it('that rejects a file fails the run with file and reason', async () => {
    const step = await sealed(bad, {});
    await waitedFor(step, 4);
    await expect(polled(step)).rejects.toMatchObject({ code: 'LoadRejected', message: expect.stringContaining(step.key) });
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
});
