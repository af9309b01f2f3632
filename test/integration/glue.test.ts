import { readdirSync, readFileSync } from 'node:fs';
import { BatchStopJobRunCommand, GetJobRunsCommand, GlueClient } from '@aws-sdk/client-glue';
import { DescribeExecutionCommand, RedriveExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../core/receipt/receipt.js';
import { missingSpark } from '../unit/glue/local-spark.js';
import { pushConfig, useSandbox } from './fixture.js';

const missing = missingSpark();
if (missing) console.warn(missing);

const firn = useSandbox();
const jobName = 'firn-dev-extract';
/** Spark starts several times, two at once. */
const patience = 600_000;

const sql = (statement: string) => firn.source.query(statement);
const rows = (table: string) => `INSERT INTO ${table} SELECT n, 'v' || n, n / 3.0 FROM generate_series(1, 200) n`;

/** What is wrong with a table's read, in what error it ends, and what mends it. */
const failing = {
  glue_divides: {
    filter: '1 / (id - 5) < 100',
    error: { code: 'SourceQueryFailed', message: expect.stringMatching(/^PostgreSQL at .*division by zero/) },
    mend: () => sql('UPDATE glue_divides SET id = 1005 WHERE id = 5'),
  },
  glue_killed: {
    filter: 'pg_sleep((SELECT seconds FROM glue_nap)) IS NOT NULL',
    error: { code: 'ExtractJobFailed', message: expect.stringMatching(/^The Glue job run jr_\w+ ended as FAILED: .*SIGKILL/) },
    mend: () => sql('UPDATE glue_nap SET seconds = 0'),
  },
  glue_stopped: {
    filter: 'pg_sleep((SELECT seconds FROM glue_nap)) IS NOT NULL',
    error: { code: 'Aborted', message: expect.stringMatching(/^The Glue job run jr_\w+ was stopped/) },
    mend: () => sql('UPDATE glue_nap SET seconds = 0'),
  },
};
type Failing = keyof typeof failing;
const names = Object.keys(failing) as Failing[];

beforeAll(async () => {
  if (missing) return;
  await sql(`CREATE TABLE glue_nap (seconds int); INSERT INTO glue_nap VALUES (3600);
    CREATE TABLE glue_coupon_snapshots (id bigint PRIMARY KEY, coupon uuid DEFAULT gen_random_uuid(), discount numeric(12,4), percent float8,
      availed_on date, availed_at timestamp, tags text[], rules jsonb, code char(8), pattern bytea, open boolean, at time, updated_at timestamptz NOT NULL);
    INSERT INTO glue_coupon_snapshots (id, discount, percent, availed_on, availed_at, tags, rules, code, pattern, open, at, updated_at)
    SELECT n, n / 7.0, n / 3.0, date '0999-12-01' + n * 100, timestamp '1999-12-31 23:59:59.999999' + n * interval '1 day 0.000001 s',
      CASE WHEN n % 3 > 0 THEN array['a', NULL, 'ü' || n] END, jsonb_build_object('n', n), 'c' || n, decode(md5(n::text), 'hex'), n % 2 = 0,
      time '00:00:00.000001' + n * interval '1 s', now() - interval '1 day' FROM generate_series(1, 3000) n`);
  for (const table of names) await sql(`CREATE TABLE ${table} (id int PRIMARY KEY, label text, price numeric(20,4)); ${rows(table)}`);
  const coupons = { table: 'glue_coupon_snapshots', mode: 'incremental', cursor_column: 'updated_at', engine: 'glue', loader: 'copy' };
  const tables = names.map((table) => ({ table, engine: 'glue', loader: 'copy', row_filter: failing[table].filter }));
  await pushConfig(firn.sandbox, [{ source: 'PostgreSQL', database: 'clr', type: 'postgres', permits: 8, tables: [coupons, ...tables] }]);
});
afterAll(async () => {
  if (missing) return;
  await sql('UPDATE glue_nap SET seconds = 0');
});

/** The state of a run's execution once it has ended. */
async function ended({ execution_arn }: Receipt): Promise<Receipt> {
  const describeExecution = async () =>
    (await new SFNClient({}).send(new DescribeExecutionCommand({ executionArn: execution_arn! }))).status;
  await expect.poll(describeExecution, { timeout: patience, interval: 500 }).not.toMatch(/RUNNING|PENDING_REDRIVE/);
  return firn.status(execution_arn!.split(':').at(-1)!);
}

const began = async (table: string): Promise<Receipt> => (await firn.ingest(table, { wait: false }, await firn.session())) as Receipt;

async function redriven(receipt: Receipt): Promise<Receipt> {
  await new SFNClient({}).send(new RedriveExecutionCommand({ executionArn: receipt.execution_arn! }));
  return ended(receipt);
}

/** Until the job's query sleeps at the source; answers the job run's id. */
async function napping({ run_id }: Receipt): Promise<string> {
  await expect
    .poll(async () => (await jobRuns(run_id)).filter(({ JobRunState }) => JobRunState === 'RUNNING').length, {
      timeout: patience,
      interval: 500,
    })
    .toBe(1);
  return (await jobRuns(run_id)).find(({ JobRunState }) => JobRunState === 'RUNNING')!.Id!;
}

const jobRuns = async (runId: string) =>
  ((await new GlueClient({}).send(new GetJobRunsCommand({ JobName: jobName }))).JobRuns ?? []).filter(
    (run) => run.Arguments?.['--run_id'] === runId,
  );

/** The job's driver, by its argument. */
function killDriver(jobRun: string): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const driver = pids.find((pid) => {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return argv.includes(jobRun) && argv.some((argument) => argument.endsWith('.py'));
    } catch {
      return false;
    }
  });
  process.kill(Number(driver), 'SIGKILL');
}

describe.skipIf(missing)('engine: glue (real Spark; Glue itself is local)', () => {
  it('brings a table in full, then what has changed, equal to the source cell by cell', { timeout: patience }, async () => {
    const table = 'glue_coupon_snapshots';
    expect(await ended(await began(table))).toMatchObject({
      status: 'SUCCEEDED',
      rows_inserted: 3000,
      engine: 'glue',
      engine_reason: 'engine: glue',
    });
    await firn.expectEqual(table);
    await sql(`UPDATE ${table} SET discount = 1, tags = NULL, updated_at = clock_timestamp() WHERE id <= 10;
      INSERT INTO ${table} (id, discount, code, updated_at) VALUES (9001, 5, 'new', clock_timestamp())`);
    expect(await ended(await began(table))).toMatchObject({ status: 'SUCCEEDED', mode: 'incremental', rows_updated: 10, rows_inserted: 1 });
    await firn.expectEqual(table);
  });

  it('says why a job failed, and a redrive brings every row once', { timeout: patience }, async () => {
    const runs = Object.fromEntries(await Promise.all(names.map(async (table) => [table, await began(table)]))) as Record<Failing, Receipt>;
    const killed = napping(runs.glue_killed).then(killDriver);
    const stopped = napping(runs.glue_stopped).then((JobRunId) =>
      new GlueClient({}).send(new BatchStopJobRunCommand({ JobName: jobName, JobRunIds: [JobRunId] })),
    );
    await Promise.all([killed, stopped]);
    const failed = await Promise.all(names.map((table) => ended(runs[table])));
    for (const [index, table] of names.entries()) expect(failed[index]).toMatchObject({ status: 'FAILED', error: failing[table].error });

    for (const table of names) await failing[table].mend();
    const mended = await Promise.all(names.map((table) => redriven(runs[table])));
    for (const receipt of mended) {
      expect(receipt).toMatchObject({ status: 'SUCCEEDED', rows_read: 200, engine: 'glue' });
    }
    await firn.expectEqual('glue_killed');
    await firn.expectEqual('glue_stopped');
  });
});
