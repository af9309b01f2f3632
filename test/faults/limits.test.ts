import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetJobRunsCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetFunctionConfigurationCommand, LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planSchema } from '../../core/plan/plan.js';
import { planKey } from '../../core/raw-bucket/layout.js';
import { readJson } from '../../core/raw-bucket/objects.js';
import type { Receipt } from '../../core/receipt/receipt.js';
import { readAllProgress } from '../../core/workflow/chunk-parts.js';
import { clientSettings } from '../../sandbox/deploy.js';
import { missingSpark } from '../unit/glue/local-spark.js';
import { miscounts } from './leftovers.js';
import { faultSandboxDirectory } from './sandbox.js';
import { World } from './world.js';

/** Where the limits of a Lambda, or of a job, meet the next attempt. Real functions, state machine and Spark; AWS itself is local. */

const missing = missingSpark();
const database = 'limits';

/** Of these a function has 28 to read in, the rest is its reserve. */
const extractSeconds = 48;
/** Cuts `moves` into three chunks of 1024 rows: their source expects 43 kB. */
const chunkBytes = 17_000;

let world: World;
let lambda: LambdaClient;
const restore: (() => Promise<unknown>)[] = [];

/** Changes a function until the end of this file. */
async function configure(name: string, settings: { timeout?: number; variables?: Record<string, string> }): Promise<void> {
  const FunctionName = `firn-${world.state.environment}-${name}`;
  const { Timeout, Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const { timeout = Timeout, variables } = settings;
  const Variables = { ...Environment?.Variables, ...variables };
  restore.push(() =>
    lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout, Environment: { Variables: Environment?.Variables } })),
  );
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: timeout, Environment: { Variables } }));
}

beforeAll(async () => {
  if (missing) return;
  world = World.open(faultSandboxDirectory);
  lambda = new LambdaClient(clientSettings(world.state.aws.endpoint));
  await configure('extract', { timeout: extractSeconds });
  await configure('plan', { variables: { CHUNK_BYTES: String(chunkBytes) } });
  // Lambda reads by COPY, Spark does not: so a filter can tell them.
  await world.source.query(`
    CREATE TABLE moves (id int PRIMARY KEY, label text, price numeric(20,4));
    INSERT INTO moves SELECT n, 'v' || n, n / 3.0 FROM generate_series(1, 3072) n;
    CREATE FUNCTION slow_for_lambda(id int, first int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
      IF current_query() LIKE 'COPY%' AND id = first THEN PERFORM pg_sleep(12); END IF;
      IF current_query() LIKE 'COPY%' AND id > first + 200 THEN PERFORM pg_sleep(3600); END IF;
      RETURN true; END $$;
    CREATE TABLE job_nap (seconds int); INSERT INTO job_nap VALUES (3600);
    CREATE TABLE job_timed_out (id int PRIMARY KEY, label text);
    INSERT INTO job_timed_out SELECT n, 'v' || n FROM generate_series(1, 200) n; ANALYZE`);
  await world.push(database, [
    { table: 'moves', engine: 'auto', loader: 'copy', row_filter: 'id < 2049 OR slow_for_lambda(id, 2049)' },
    { table: 'job_timed_out', engine: 'glue', loader: 'copy', row_filter: 'pg_sleep((SELECT seconds FROM job_nap)) IS NOT NULL' },
  ]);
});

afterAll(async () => {
  for (const undo of restore) await undo();
  await world?.close();
});

const ended = async (receipt: Receipt): Promise<Receipt> => world.ended(receipt);
const expectWhole = async (table: string, receipt: Receipt) => {
  expect(miscounts({ ...receipt })).toEqual([]);
  expect(await world.differences(database, table)).toEqual([]);
};

describe.skipIf(missing)('limits', () => {
  it.concurrent('a chunk that a Lambda cannot read in its time goes on, and then to Glue, with all that was read', async () => {
    const receipt = await ended(await world.ingest(database, 'moves'));
    expect(receipt).toMatchObject({ status: 'SUCCEEDED', rows_read: 3072, engine: 'lambda, then glue', error: null });
    await expectWhole('moves', receipt);

    const raw = { client: world.s3, bucket: world.state.bucket };
    const plan = (await readJson(raw, planKey(receipt.run_id), planSchema))!;
    const read = (await readAllProgress(raw, plan)).map(({ parts }) => parts.map(({ engine = 'lambda', rows }) => `${engine} ${rows}`));
    expect(read).toEqual([['lambda 1024'], ['lambda 1024'], ['lambda 128', 'glue 896']]);
  });

  it.concurrent('a job whose time is over fails the run, and says so; a redrive brings every row once', async () => {
    const begun = await world.ingest(database, 'job_timed_out', { wait: false });
    const jobRun = await napping(begun.run_id);
    // The local Glue's clock put forward: its time-out is of eight hours.
    writeFileSync(join(faultSandboxDirectory, `logs/glue/${jobRun}.is-over`), '');
    const failed = await ended(begun);
    const message = expect.stringMatching(new RegExp(`^The Glue job run ${jobRun} took longer than its 480 minutes`));
    expect(failed).toMatchObject({ status: 'FAILED', error: { code: 'TimedOut', message } });

    // A server does not notice that the client of a sleeping query is gone.
    await world.source.query(`UPDATE job_nap SET seconds = 0;
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%job_nap%' AND pid <> pg_backend_pid()`);
    const receipt = await ended(await world.retry(failed.run_id));
    expect(receipt).toMatchObject({
      run_id: failed.run_id,
      status: 'SUCCEEDED',
      rows_read: 200,
      rows_inserted: 200,
      engine: 'glue',
      error: null,
    });
    await expectWhole('job_timed_out', receipt);
  });
});

/** Until the job's query sleeps at the source; answers the job run's id. */
async function napping(runId: string): Promise<string> {
  const glue = new GlueClient(clientSettings(world.state.aws.endpoint));
  await expect
    .poll(
      async () =>
        (await world.source.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%job_nap%'")).rowCount,
      {
        timeout: 500_000,
        interval: 500,
      },
    )
    .toBeGreaterThan(0);
  const { JobRuns = [] } = await glue.send(new GetJobRunsCommand({ JobName: `firn-${world.state.environment}-extract` }));
  return JobRuns.find(({ Arguments }) => Arguments?.['--run_id'] === runId)!.Id!;
}
