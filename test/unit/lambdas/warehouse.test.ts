import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { queryOrder } from '../../../core/column.js';
import { errorRecord } from '../../../core/errors.js';
import type { RunResult } from '../../../core/state/runs.js';
import { finishRun, readRun, rememberQuery } from '../../../core/state/runs.js';
import { awaitLoad } from '../../../core/workflow/await-load.js';
import { prepare } from '../../../core/workflow/prepare.js';
import { awaitProcess, submitProcess } from '../../../core/workflow/process.js';
import { recordRejection, recordRun } from '../../../core/workflow/record.js';
import { sealRun } from '../../../core/workflow/seal-run.js';
import { compareCounts, verify } from '../../../core/workflow/verify.js';
import type { WarehouseStep } from '../../../core/workflow/warehouse-step.js';
import { type LocalSnowflake, startLocalSnowflake } from '../sql/local-snowflake.js';
import { load, staged } from '../sql/table.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';
import { beginRun, type RunInProgress, type Surroundings } from './run-in-progress.js';

let aws: LocalAws;
let snowflake: LocalSnowflake;
let surroundings: Surroundings;

beforeAll(async () => {
  aws = await startLocalAws();
  snowflake = await startLocalSnowflake();
  const raw = { client: new S3Client({}), bucket: 'raw' };
  await raw.client.send(new CreateBucketCommand({ Bucket: raw.bucket }));
  surroundings = { documents: await createStateTable('state'), raw, warehouse: snowflake.warehouse, executions: new ExecutionsDouble() };
});
afterAll(() => Promise.all([aws?.stop(), snowflake?.stop()]));

let made = 0;
let run: RunInProgress;
const key = 'PostgreSQL/clr/t/2025-11-05/12/a.parquet';
beforeEach(async () => {
  run = await beginRun(surroundings, `t_${made++}`, [{ key, rows: 2, bytes: 100 }]);
});

const events = async (runId: string): Promise<unknown[][]> =>
  (
    await snowflake.warehouse.query(
      'SELECT event AS EVENT, fence AS FENCE, detail AS DETAIL FROM FIRN.RUN_EVENTS WHERE run_id = ? ORDER BY at',
      [runId],
    )
  ).map(({ EVENT, FENCE, DETAIL }) => [EVENT, FENCE, DETAIL]);
const countOf = async (sql: string, runId: string) =>
  Number((await snowflake.warehouse.query(`SELECT COUNT(*) AS N FROM ${sql} WHERE run_id = ?`, [runId]))[0]!.N);

/** What the pipe does. */
const arrive = (rows: [number, string][]) => load(snowflake.warehouse, run.plan, rows, { file: key });

async function loaded(
  rows: [number, string][] = [
    [1, 'a'],
    [2, 'b'],
  ],
): Promise<WarehouseStep> {
  const step = await run.hold();
  await prepare(step);
  await sealRun(step);
  await arrive(rows);
  return step;
}

/** Polls as the state machine does. */
async function processed(step: WarehouseStep): Promise<void> {
  await submitProcess(step);
  while (!(await awaitProcess(step)).done);
}

describe('a run on Snowflake (local Snowflake, DynamoDB and S3; executions in memory)', () => {
  it('is prepared, sealed, loaded, merged, verified and recorded', async () => {
    const step = await run.hold();
    await prepare(step);
    expect(await sealRun(step)).toEqual({ files: 1, rows: 2 });
    expect(await awaitLoad(step)).toEqual({ loaded: false });
    await arrive([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(await awaitLoad(step)).toEqual({ loaded: true });
    await processed(step);
    await verify(step);
    const { runId } = step.run;
    expect((await readRun(step.state, runId))!.result).toEqual({
      rows_loaded: 2,
      rows_inserted: 2,
      rows_updated: 0,
      rows_unchanged: 0,
      rows_superseded: 0,
      rows_deleted: 0,
    });
    expect(await staged(snowflake.warehouse, run.plan)).toHaveLength(2);
    await finishRun(step.state, runId, { status: 'SUCCEEDED', finishedAt: '2025-11-05T12:01:00Z', error: null });
    await recordRun(step.state, 'raw', snowflake.warehouse, step.run);
    expect((await events(runId)).map(([event, fence]) => [event, fence])).toEqual([
      ['PREPARED', 1],
      ['SEALED', 1],
      ['SUCCEEDED', 1],
    ]);
  });

  it('each step done twice changes nothing', async () => {
    const step = await run.hold();
    for (const action of [prepare, prepare, sealRun, sealRun]) await action(step);
    await arrive([
      [1, 'a'],
      [2, 'b'],
    ]);
    const first = await submitProcess(step);
    expect(await submitProcess(step)).toEqual(first);
    while (!(await awaitProcess(step)).done);
    expect(await awaitProcess(step)).toEqual({ done: true });
    for (const action of [verify, verify]) await action(step);
    await finishRun(step.state, step.run.runId, { status: 'SUCCEEDED', finishedAt: '2025-11-05T12:01:00Z', error: null });
    for (let i = 0; i < 2; i++) await recordRun(step.state, 'raw', snowflake.warehouse, step.run);
    const { runId } = step.run;
    expect((await events(runId)).map(([event]) => event)).toEqual(['PREPARED', 'SEALED', 'SUCCEEDED']);
    expect(await countOf('FIRN.RUN_FILES', runId)).toBe(1);
    expect(await countOf('FIRN.RUN_RESULTS', runId)).toBe(1);
  });

  it('without rows is loaded at once', async () => {
    run = await beginRun(surroundings, `t_${made++}`, []);
    const step = await run.hold();
    await prepare(step);
    expect(await sealRun(step)).toEqual({ files: 0, rows: 0 });
    expect(await awaitLoad(step)).toEqual({ loaded: true });
    await processed(step);
    await verify(step);
  });

  it('ends when a newer run owns the table', async () => {
    surroundings.executions.set(run.plan.run.runId, 'failed');
    await beginRun(surroundings, run.plan.run.table);
    await expect(run.hold()).rejects.toMatchObject({ name: 'Superseded' });
  });

  it('ends when a newer run has prepared the table before its merge', async () => {
    const step = await loaded();
    await submitProcessLater(step);
    await expect(processed(step)).rejects.toMatchObject({ name: 'Superseded' });
    expect(await staged(snowflake.warehouse, run.plan)).toEqual([]);
  });

  /** A run with a greater fence prepares the table. */
  async function submitProcessLater(step: WarehouseStep): Promise<void> {
    const { run, plan } = step;
    const runId = `${run.runId.slice(0, -1)}Z`;
    await prepare({ ...step, fence: step.fence + 1, plan: { ...plan, run: { ...run, runId } } });
  }

  it('ends when a newer run has merged, though it has not committed', async () => {
    const older = await loaded();
    surroundings.executions.set(run.plan.run.runId, 'failed');
    run = await beginRun(surroundings, run.plan.run.table, [{ key, rows: 2, bytes: 100 }], { order: queryOrder(2) });
    await processed(await loaded());
    surroundings.executions.set(run.plan.run.runId, 'failed');
    await expect(processed(older)).rejects.toMatchObject({ name: 'Superseded' });
  });

  it('submits the merge anew when the query before has failed', async () => {
    const step = await loaded();
    const broken = await snowflake.warehouse.submit('SELECT * FROM FIRN.NOT_THERE');
    await rememberQuery(step.state, step.run.runId, 'process', broken);
    await expect(untilThrows(() => awaitProcess(step))).rejects.toBeInstanceOf(Error);
    while (!(await awaitProcess(step)).done);
    expect(await staged(snowflake.warehouse, run.plan)).toHaveLength(2);
  });

  it("hands on the procedure's error, and lets a redrive submit again", async () => {
    const step = await loaded();
    await snowflake.warehouse.query('DELETE FROM FIRN.RUN_EVENTS WHERE run_id = ?', [step.run.runId]);
    await submitProcess(step);
    await expect(untilThrows(() => awaitProcess(step))).rejects.toMatchObject({ code: 'RunNotFound' });
    expect((await readRun(step.state, step.run.runId))!.queryIds).toEqual({});
  });

  it('does not commit what was not counted in', async () => {
    const step = await loaded();
    await processed(step);
    await snowflake.warehouse.query('UPDATE FIRN.RUN_RESULTS SET rows_loaded = 3 WHERE run_id = ?', [step.run.runId]);
    await expect(verify(step)).rejects.toMatchObject({ code: 'CountMismatch' });
    expect((await readRun(step.state, step.run.runId))!.result).toBeNull();
  });

  it('is refused when raw has more rows of a file than it holds', async () => {
    const step = await loaded([
      [1, 'a'],
      [2, 'b'],
      [1, 'a'],
    ]);
    await expect(awaitLoad(step)).rejects.toMatchObject({ code: 'CountMismatch', message: expect.stringContaining(key) });
  });
});

/** Polls until the step throws. */
async function untilThrows(poll: () => Promise<{ done: boolean }>): Promise<void> {
  while (!(await poll()).done);
}

describe('how a run has ended', () => {
  it('is recorded for each failure, and not while it runs', async () => {
    const step = await run.hold();
    const { runId } = step.run;
    const record = () => recordRun(step.state, 'raw', snowflake.warehouse, step.run);
    await record();
    expect(await events(runId)).toEqual([]);
    for (const finishedAt of ['2025-11-05T12:01:00Z', '2025-11-05T12:01:00Z', '2025-11-05T12:09:00Z']) {
      await finishRun(step.state, runId, { status: 'FAILED', finishedAt, error: errorRecord('SourceBusy', "it's \\ busy") });
      await record();
    }
    const found = await events(runId);
    expect(found.map(([event]) => event)).toEqual(['FAILED', 'FAILED']);
    expect(found[0]![2]).toMatchObject({ run_id: runId, status: 'FAILED', error: { code: 'SourceBusy', message: "it's \\ busy" } });
  });

  it('is recorded for a call that was refused', async () => {
    const rejection = {
      run_id: '01JCREJECTED00000000000000',
      source: null,
      database: 'clr',
      table: "o'rders",
      finished_at: '2025-11-05T12:01:00Z',
      error: errorRecord('ArgumentInvalid', 'source is NULL'),
    };
    for (let i = 0; i < 2; i++) await recordRejection(snowflake.warehouse, rejection);
    expect(await events(rejection.run_id)).toEqual([['REJECTED', null, { ...rejection, status: 'REJECTED' }]]);
  });
});

describe('the counts', () => {
  const result: RunResult = { rows_loaded: 5, rows_inserted: 1, rows_updated: 1, rows_unchanged: 2, rows_superseded: 1, rows_deleted: 9 };

  it('that agree pass', () => compareCounts({ table: 'orders' }, { rows: 5 }, result));
  it.each([
    { name: 'a row was lost on the way', rows: 6, change: {} },
    { name: 'a row came twice', rows: 5, change: { rows_loaded: 6 } },
    { name: 'a row was not accounted for', rows: 5, change: { rows_unchanged: 1 } },
  ])('$name', ({ rows, change }) => {
    expect(() => compareCounts({ table: 'orders' }, { rows }, { ...result, ...change })).toThrow('orders:');
  });
});
