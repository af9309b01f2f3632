import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryOrder } from '../../../core/column.js';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import { awaitWorkTables, heldUp } from './held-up.js';
import { type LocalSnowflake, startLocalSnowflake } from './local-snowflake.js';
import { call, counted, ingest, load, planOf, prepare, process, seal, staged } from './table.js';

let snowflake: LocalSnowflake;
let warehouse: Warehouse;

beforeAll(async () => {
  snowflake = await startLocalSnowflake();
  warehouse = snowflake.warehouse;
});
afterAll(() => snowflake?.stop());

let made = 0;
/** A run of a table that no other test has. */
const fresh = (fence: number, changes: Parameters<typeof planOf>[2] = {}) => planOf(`fault_${made++}`, fence, changes);

describe('a file that the pipe has loaded twice', () => {
  it.each([
    ['with a key', ['ID']],
    ['without a key', []],
  ])('is merged once: a table %s', async (_, primaryKey) => {
    const plan = fresh(1, { primaryKey });
    const rows = [
      [1, 'a'],
      [2, 'b'],
      [3, 'b'],
    ];
    await prepare(warehouse, plan, 1);
    await load(warehouse, plan, rows);
    await seal(warehouse, plan);
    await load(warehouse, plan, rows);
    const result = await process(warehouse, plan, 1);
    expect(result.rows_loaded).toBe(3);
    expect(counted(result)).toEqual([3, 0, 0, 0, 0]);
    expect(await staged(warehouse, plan)).toEqual(rows);
  });

  it.each([
    ['with a key', ['ID']],
    ['without a key', []],
  ])('fails the run where raw has no row numbers: a table %s', async (_, primaryKey) => {
    const plan = fresh(1, { primaryKey });
    await prepare(warehouse, plan, 1);
    await load(warehouse, plan, [[1, 'a']]);
    await seal(warehouse, plan);
    await load(warehouse, plan, [[1, 'a']]);
    await warehouse.query(`UPDATE RAW_CLR.${plan.target.rawTable} SET "_FIRN_ROW" = NULL`);
    await expect(process(warehouse, plan, 1)).rejects.toMatchObject({
      code: 'CountMismatch',
      message: expect.stringContaining(`${plan.run.runId}.parquet holds 1 rows, but raw has 2 of it`),
    });
    expect(await staged(warehouse, plan)).toEqual([]);
  });
});

describe('a file that lacks a row in raw', () => {
  it.each([
    ['a row is missing', []],
    ['as many rows are there, one of them twice', [[1, 'a']]],
  ])('fails the run: %s', async (_, more) => {
    const plan = fresh(1, { primaryKey: [] });
    await prepare(warehouse, plan, 1);
    await load(warehouse, plan, [
      [1, 'a'],
      [2, 'b'],
    ]);
    await seal(warehouse, plan);
    await warehouse.query(`DELETE FROM RAW_CLR.${plan.target.rawTable} WHERE "_FIRN_ROW" = 2`);
    await load(warehouse, plan, more);
    await expect(process(warehouse, plan, 1)).rejects.toMatchObject({ code: 'CountMismatch' });
    expect(await staged(warehouse, plan)).toEqual([]);
  });
});

describe('a redrive', () => {
  it('of a run that read before a merged one changes nothing, whatever its fence', async () => {
    const first = fresh(1);
    await ingest(warehouse, first, 1, [
      [1, 'a'],
      [2, 'b'],
    ]);
    const { table } = first.run;
    const older = planOf(table, 2);
    await prepare(warehouse, older, 2);
    await load(warehouse, older, [
      [1, 'older'],
      [2, 'older'],
    ]);
    await seal(warehouse, older);
    // It finds row 1 unchanged, so that the row keeps its order, and row 2 gone.
    await ingest(warehouse, planOf(table, 3), 3, [[1, 'a']]);
    expect(await process(warehouse, older, 4)).toEqual({ superseded: true });
    expect(await staged(warehouse, first)).toEqual([[1, 'a']]);
  });

  it('that waits for staging while a newer run is merged changes nothing', async () => {
    const plan = fresh(1);
    await prepare(warehouse, plan, 1);
    await load(warehouse, plan, [[1, 'older']]);
    await seal(warehouse, plan);
    const { source, database, table } = plan.run;
    const newer = () =>
      warehouse.query(`INSERT INTO FIRN.RUN_RESULTS SELECT 'newer', ?, ?, ?, 's', 1, 0, 0, 0, 0, 0, 0, 0, SYSDATE(), ?`, [
        source,
        database,
        table,
        queryOrder(2),
      ]);
    const answer = await heldUp(snowflake, plan, (session) => process(session, plan, 1), newer);
    expect(answer).toEqual({ superseded: true });
    expect(await staged(warehouse, plan)).toEqual([]);
  });

  it('stops the call of the attempt before, which is still waiting', async () => {
    const plan = fresh(1);
    await prepare(warehouse, plan, 1);
    await load(warehouse, plan, [[1, 'a']]);
    await seal(warehouse, plan);
    const twin = await snowflake.connect();
    let redriven: Promise<unknown> = Promise.resolve();
    await heldUp(
      snowflake,
      plan,
      (session) => process(session, plan, 1),
      async () => {
        redriven = process(twin, plan, 2);
        await awaitWorkTables(warehouse, 2);
      },
    );
    expect(await redriven).toMatchObject({ rows_inserted: 1, fence: 2 });
    expect(await warehouse.query('SELECT fence AS FENCE FROM FIRN.RUN_RESULTS WHERE run_id = ?', [plan.run.runId])).toEqual([{ FENCE: 2 }]);
    expect(await staged(warehouse, plan)).toEqual([[1, 'a']]);
    await twin.close();
  });
});

describe('an incremental run that has read the keys', () => {
  const changes = (deletes: Partial<Parameters<typeof planOf>[2] & object>['deletes'] = {}) => ({
    mode: 'incremental' as const,
    cursor: { column: 'id', from: '1', onNull: 'error' as const },
    deletes: { detect: true, keys: true, ...deletes },
  });
  const before = [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ];
  const started = async () => {
    const first = fresh(1);
    await ingest(warehouse, first, 1, before);
    return first.run.table;
  };

  it('deletes what is gone, and keeps what was not read again', async () => {
    const plan = planOf(await started(), 2, changes());
    // 4 came after the rows were read.
    const result = await ingest(warehouse, plan, 2, [[2, 'B']], [[1], [2], [4]]);
    expect([result.rows_loaded, ...counted(result)]).toEqual([1, 0, 1, 0, 0, 1]);
    expect(await staged(warehouse, plan)).toEqual([
      [1, 'a'],
      [2, 'B'],
    ]);
  });

  it('marks what is gone, where deletes are soft', async () => {
    const plan = planOf(await started(), 2, changes({ how: 'soft' }));
    await ingest(warehouse, plan, 2, [], [[1], [2]]);
    expect(await staged(warehouse, plan, ['_FIRN_DELETED', '_FIRN_ORDER'])).toEqual([
      [1, 'a', false, queryOrder(1)],
      [2, 'b', false, queryOrder(1)],
      [3, 'c', true, queryOrder(2)],
    ]);
  });

  it('deletes no row that it has read itself', async () => {
    const plan = planOf(await started(), 2, changes());
    expect(counted(await ingest(warehouse, plan, 2, [[3, 'c']], [[1], [2]]))).toEqual([0, 0, 1, 0, 0]);
  });

  it('deletes no row that a newer run has written', async () => {
    const plan = planOf(await started(), 2, changes());
    await warehouse.query(`UPDATE STAGING_CLR.${plan.target.stagingTable} SET "_FIRN_ORDER" = ? WHERE ID = 3`, [queryOrder(9)]);
    expect(counted(await ingest(warehouse, plan, 2, [], [[1], [2]]))).toEqual([0, 0, 0, 0, 0]);
  });

  it.each([
    ['most keys are missing', [[1]]],
    ['all keys are missing', []],
  ])('fails when %s', async (_, keys) => {
    const plan = planOf(await started(), 2, changes());
    await expect(ingest(warehouse, plan, 2, [], keys)).rejects.toMatchObject({ code: 'DeleteFractionExceeded' });
    expect(await staged(warehouse, plan)).toEqual(before);
  });

  it('deletes nothing that comes back when the table is merged again', async () => {
    const table = await started();
    await ingest(warehouse, planOf(table, 2, changes()), 2, [], [[1], [2]]);
    await ingest(warehouse, planOf(table, 3, changes()), 3, [[4, 'd']], [[1], [2], [4]]);
    const plan = planOf(table, 4, { ...changes(), deletes: { detect: false } });
    await ingest(warehouse, plan, 4, [[5, 'e']]);
    const result = await call(warehouse, 'CALL FIRN.PROCESS_TABLE(?, ?, ?)', ['PostgreSQL', 'clr', table]);
    expect(counted(result as Record<string, unknown>)).toEqual([0, 0, 4, 1, 0]);
    expect((await staged(warehouse, plan)).map(([id]) => id)).toEqual([1, 2, 4, 5]);
  });

  it('shows no keys among the committed rows', async () => {
    const table = await started();
    await ingest(warehouse, planOf(table, 2, changes()), 2, [[2, 'B']], [[1], [2], [3]]);
    const [row] = await warehouse.query(`SELECT COUNT(*) AS N FROM RAW_CLR.${table.toUpperCase()}_COMMITTED`);
    expect(row).toEqual({ N: 4 });
  });
});
