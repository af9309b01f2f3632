import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryOrder } from '../../../core/column.js';
import type { Row, Warehouse } from '../../../core/warehouse/snowflake.js';
import { heldUp, workTables } from './held-up.js';
import { type LocalSnowflake, startLocalSnowflake } from './local-snowflake.js';
import { mergeCases } from './merge-cases.js';
import { call, counted, id, ingest, json, load, note, planOf, prepare, process, seal, staged } from './table.js';

let snowflake: LocalSnowflake;
let warehouse: Warehouse;

beforeAll(async () => {
  snowflake = await startLocalSnowflake();
  warehouse = snowflake.warehouse;
});
afterAll(() => snowflake?.stop());

describe('PROCESS_TABLE', () => {
  it.each(mergeCases.map((one, index) => ({ ...one, table: `case_${index}` })))(
    '$name',
    async ({ table, columns, key, before, rows, changes, answer, after }) => {
      const shape = { columns: columns ?? [id, note], primaryKey: key ?? ['ID'] };
      await ingest(warehouse, planOf(table, 1, shape), 1, before);
      const plan = planOf(table, 2, { ...shape, ...changes });

      const outcome = await ingest(warehouse, plan, 2, rows).catch((error) => error);

      expect(await staged(warehouse, plan)).toEqual(after.map((row) => row.map(big)));
      if (typeof answer === 'string') expect(outcome).toMatchObject({ name: answer });
      else {
        expect(counted(outcome)).toEqual(answer);
        expect(outcome.rows_loaded).toBe(rows.length);
        expect(outcome.rows_merged).toBe(rows.length);
      }
      expect(await workTables(warehouse)).toBe(0);
    },
  );

  it('does not rewrite unchanged rows', async () => {
    const first = planOf('unchanged', 1);
    await ingest(warehouse, first, 1, [
      [1, 'a'],
      [2, 'b'],
    ]);
    const second = planOf('unchanged', 2);
    await ingest(warehouse, second, 2, [
      [1, 'a'],
      [2, 'B'],
    ]);
    expect(await staged(warehouse, second, ['_FIRN_RUN'])).toEqual([
      [1, 'a', first.run.runId],
      [2, 'B', second.run.runId],
    ]);
  });

  it('never lets a lesser order overwrite or delete a greater one', async () => {
    const plan = planOf('orders_decide', 5);
    await prepare(warehouse, plan, 5);
    await load(warehouse, plan, [[1, 'newest']], { order: queryOrder(9) });
    await load(
      warehouse,
      plan,
      [
        [1, 'older'],
        [2, 'b'],
      ],
      { order: queryOrder(4), firstRow: 2 },
    );
    await load(warehouse, plan, [[3, 'newest']], { order: queryOrder(9), firstRow: 4 });
    await seal(warehouse, plan);
    expect(counted(await process(warehouse, plan, 5))).toEqual([3, 0, 0, 1, 0]);

    const late = planOf('orders_decide', 6, { deletes: { maxFraction: 1 } });
    expect(
      counted(
        await ingest(warehouse, late, 6, [
          [1, 'late'],
          [2, 'late'],
        ]),
      ),
    ).toEqual([0, 1, 0, 1, 0]);
    expect(await staged(warehouse, late)).toEqual([
      [1, 'newest'],
      [2, 'late'],
      [3, 'newest'],
    ]);
  });

  it('marks gone rows where deletes are soft, and revives those that come back', async () => {
    const soft = { deletes: { how: 'soft' as const } };
    await ingest(warehouse, planOf('soft', 1, soft), 1, [
      [1, 'a'],
      [2, 'b'],
    ]);
    const second = planOf('soft', 2, soft);
    expect(counted(await ingest(warehouse, second, 2, [[1, 'a']]))).toEqual([0, 0, 1, 0, 1]);
    expect(await staged(warehouse, second, ['_FIRN_DELETED'])).toEqual([
      [1, 'a', false],
      [2, 'b', true],
    ]);
    expect(counted(await ingest(warehouse, planOf('soft', 3, soft), 3, [[1, 'a']]))).toEqual([0, 0, 1, 0, 0]);
    expect(
      counted(
        await ingest(warehouse, planOf('soft', 4, soft), 4, [
          [1, 'a'],
          [2, 'b'],
        ]),
      ),
    ).toEqual([0, 1, 1, 0, 0]);
    expect(await staged(warehouse, second, ['_FIRN_DELETED'])).toEqual([
      [1, 'a', false],
      [2, 'b', false],
    ]);
  });

  it('merges only files of the manifest', async () => {
    const plan = planOf('strays', 1);
    await prepare(warehouse, plan, 1);
    await load(warehouse, plan, [[1, 'sealed']], { file: 'sealed.parquet' });
    await load(
      warehouse,
      plan,
      [
        [1, 'stray'],
        [2, 'stray'],
      ],
      { file: 'stray.parquet' },
    );
    await seal(warehouse, plan, ['sealed.parquet', 'sealed.parquet']);
    expect(await process(warehouse, plan, 1)).toMatchObject({ rows_loaded: 1, rows_inserted: 1 });
    expect(await staged(warehouse, plan)).toEqual([[1, 'sealed']]);
    expect(await warehouse.query('SELECT ID FROM RAW_CLR.STRAYS_COMMITTED')).toEqual([{ ID: 1 }]);
  });

  it('answers a second call from the stored result', async () => {
    const plan = planOf('twice', 1);
    const first = await ingest(warehouse, plan, 1, [[1, 'a']]);
    await ingest(warehouse, planOf('twice', 2), 2, [[1, 'b']]);
    expect(await process(warehouse, plan, 1)).toEqual(first);
    expect(await staged(warehouse, plan)).toEqual([[1, 'b']]);
  });

  it('changes nothing once another run has claimed the table', async () => {
    const zombie = planOf('fenced', 1);
    await prepare(warehouse, zombie, 1);
    await load(warehouse, zombie, [[1, 'zombie']]);
    await seal(warehouse, zombie);
    await prepare(warehouse, planOf('fenced', 2), 2);
    expect(await process(warehouse, zombie, 1)).toEqual({ superseded: true });
    expect(await staged(warehouse, zombie)).toEqual([]);
    await expect(prepare(warehouse, zombie, 1)).rejects.toMatchObject({ name: 'Superseded' });
  });

  it('merges once when it is called twice at once', async () => {
    const plan = planOf('at_once', 1);
    await prepare(warehouse, plan, 1);
    await load(warehouse, plan, [
      [1, 'a'],
      [2, 'b'],
    ]);
    await seal(warehouse, plan);
    const sessions = await Promise.all([snowflake.connect(), snowflake.connect()]);
    const answers = await Promise.all(sessions.map((session) => process(session, plan, 1)));
    expect(answers.map(counted)).toEqual([
      [2, 0, 0, 0, 0],
      [2, 0, 0, 0, 0],
    ]);
    expect(await warehouse.query('SELECT COUNT(*) AS N FROM FIRN.RUN_RESULTS WHERE run_id = ?', [plan.run.runId])).toEqual([{ N: 1 }]);
    expect(await staged(warehouse, plan)).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    await Promise.all(sessions.map((session) => session.close()));
  });

  describe('held up by a lock on staging', () => {
    it('changes nothing when the table is claimed meanwhile', async () => {
      await ingest(warehouse, planOf('overtaken', 1), 1, [[1, 'a']]);
      const zombie = planOf('overtaken', 2);
      await prepare(warehouse, zombie, 2);
      await load(warehouse, zombie, [[1, 'zombie']]);
      await seal(warehouse, zombie);
      expect(
        await heldUp(
          snowflake,
          zombie,
          (session) => process(session, zombie, 2),
          () => prepare(warehouse, planOf('overtaken', 3), 3),
        ),
      ).toEqual({ superseded: true });
      expect(await staged(warehouse, zombie)).toEqual([[1, 'a']]);
    });

    it('answers the result of the call that was first', async () => {
      await ingest(warehouse, planOf('doubled', 1), 1, [[1, 'a']]);
      const plan = planOf('doubled', 2);
      await prepare(warehouse, plan, 2);
      await load(warehouse, plan, [[1, 'b']]);
      await seal(warehouse, plan);
      const twin = await snowflake.connect();
      let first: unknown;
      const second = await heldUp(
        snowflake,
        plan,
        (session) => process(session, plan, 2),
        async () => {
          first = process(twin, plan, 2);
        },
      );
      expect(await first).toEqual(second);
      expect(counted(second as Row)).toEqual([0, 1, 0, 0, 0]);
      await twin.close();
    });
  });

  it('names column and key of JSON that cannot be held', async () => {
    const plan = planOf('bad_json', 1, { columns: [id, json] });
    await expect(
      ingest(warehouse, plan, 1, [
        [41, '{}'],
        [42, '{"a":'],
      ]),
    ).rejects.toThrow(/column DETAILS of the row with key 42 /);
  });

  it('says which run it does not know', async () => {
    await expect(call(warehouse, 'CALL FIRN.PROCESS_TABLE(?, ?)', ['nowhere', 1])).rejects.toMatchObject({
      name: 'RunNotFound',
      message: 'run nowhere has not been prepared in this database',
    });
  });
});

describe('PROCESS_TABLE of a table', () => {
  const again = (table: string) =>
    call(warehouse, 'CALL FIRN.PROCESS_TABLE(?, ?, ?)', ['PostgreSQL', 'clr', table]) as Promise<Record<string, unknown>>;
  const later = { mode: 'incremental' as const, cursor: { column: 'id', from: '1', onNull: 'error' as const }, deletes: { detect: false } };

  it('changes nothing in a table that is as it should be', async () => {
    await ingest(warehouse, planOf('again', 1), 1, [
      [1, 'a'],
      [2, 'b'],
    ]);
    await ingest(warehouse, planOf('again', 2, later), 2, [[2, 'B']]);
    expect(counted(await again('again'))).toEqual([0, 0, 2, 1, 0]);
  });

  it('restores what was lost, from the latest full run on', async () => {
    const plan = planOf('lost', 3, later);
    await ingest(warehouse, planOf('lost', 1), 1, [
      [1, 'deleted at the source'],
      [2, 'b'],
    ]);
    await ingest(warehouse, planOf('lost', 2), 2, [[2, 'b']]);
    await ingest(warehouse, plan, 3, [[3, 'c']]);
    await warehouse.query('DELETE FROM STAGING_CLR.LOST');
    expect(counted(await again('lost'))).toEqual([2, 0, 0, 0, 0]);
    expect(await staged(warehouse, plan)).toEqual([
      [2, 'b'],
      [3, 'c'],
    ]);
  });

  it('replaces a table without a key by the latest run', async () => {
    const plan = planOf('keyless', 2, { primaryKey: [] });
    await ingest(warehouse, planOf('keyless', 1, { primaryKey: [] }), 1, [[1, 'a']]);
    await ingest(warehouse, plan, 2, [
      [2, 'b'],
      [2, 'b'],
    ]);
    await again('keyless');
    expect(await staged(warehouse, plan)).toEqual([
      [2, 'b'],
      [2, 'b'],
    ]);
  });

  it('refuses a table that was never merged', async () => {
    await expect(again('never')).rejects.toMatchObject({ name: 'RunNotFound' });
  });
});

/** The SDK answers whole numbers beyond 2^53 as rounded numbers. */
const big = (value: unknown) => (typeof value === 'string' && /^-?\d{17,}$/.test(value) ? Number(value) : value);
