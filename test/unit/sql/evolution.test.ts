import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Column } from '../../../core/column.js';
import { placedPlan } from '../../../core/plan/placed-plan.js';
import type { Plan } from '../../../core/plan/plan.js';
import { qualifiedName } from '../../../core/warehouse/identifiers.js';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import { type LocalSnowflake, startLocalSnowflake } from './local-snowflake.js';
import { column, id, load, note, type PlanChanges, planOf, prepare, process, seal, type Value } from './table.js';

let snowflake: LocalSnowflake;
let warehouse: Warehouse;

beforeAll(async () => {
  snowflake = await startLocalSnowflake();
  warehouse = snowflake.warehouse;
});
afterAll(() => snowflake?.stop());

interface Prepared {
  targets: Record<string, string>;
  notes: string[];
  changes: string[];
}

/** A whole run as the workflow does it: the files are written under the names that PREPARE_TABLE answers. */
async function run(table: string, fence: number, changes: PlanChanges, rows: Value[][]): Promise<Prepared & { plan: Plan }> {
  const planned = planOf(table, fence, changes);
  const prepared = (await prepare(warehouse, planned, fence)) as unknown as Prepared;
  const plan = placedPlan(planned, prepared.targets);
  await load(warehouse, plan, rows);
  await seal(warehouse, plan);
  await process(warehouse, plan, fence);
  return { ...prepared, plan };
}

const stagedRows = async (table: string, names: string[]): Promise<unknown[][]> => {
  const rows = await warehouse.query(`SELECT ${names.join(', ')} FROM ${qualifiedName('STAGING_CLR', table.toUpperCase())} ORDER BY 1`);
  return rows.map((row) => Object.values(row));
};

const amount = (type: string, more: Partial<Column> = {}): { columns: Column[] } => ({
  columns: [id, column('AMOUNT', type, { sourceType: type, ...more })],
});

describe('a type that the column cannot become (Snowflake local)', () => {
  it('gets a new column; the old one keeps what it has, and is NULL in rows written later', async () => {
    await run('retyped', 1, amount('NUMBER(38,0)'), [
      [1, 10],
      [2, 20],
    ]);
    const changed = await run('retyped', 2, amount('VARCHAR'), [
      [1, 'ten'],
      [2, 'twenty'],
      [3, 'thirty'],
    ]);
    expect(changed.targets).toEqual({ AMOUNT: 'AMOUNT__V2' });
    expect(changed.notes).toEqual([
      'Column amount is VARCHAR now, which AMOUNT (NUMBER(38,0)) cannot become: its values are in AMOUNT__V2 from now on, and AMOUNT keeps those it has.',
    ]);
    expect(await stagedRows('retyped', ['ID', 'AMOUNT', 'AMOUNT__V2'])).toEqual([
      [1, 10, 'ten'],
      [2, 20, 'twenty'],
      [3, null, 'thirty'],
    ]);
    const next = await run('retyped', 3, amount('VARCHAR'), [
      [1, 'TEN'],
      [2, 'twenty'],
      [3, 'thirty'],
    ]);
    expect(next).toMatchObject({ targets: { AMOUNT: 'AMOUNT__V2' }, notes: [], changes: [] });
    expect(await stagedRows('retyped', ['ID', 'AMOUNT', 'AMOUNT__V2'])).toEqual([
      [1, null, 'TEN'],
      [2, 20, 'twenty'],
      [3, null, 'thirty'],
    ]);
  });

  it('gets a third one at the next change, also when the first type returns', async () => {
    await run('returned', 1, amount('NUMBER(38,0)'), [[1, 10]]);
    await run('returned', 2, amount('VARCHAR'), [[1, 'ten']]);
    const third = await run('returned', 3, amount('NUMBER(38,0)'), [[1, 11]]);
    expect(third.targets).toEqual({ AMOUNT: 'AMOUNT__V3' });
    expect(third.notes).toEqual([expect.stringContaining('which AMOUNT__V2 (VARCHAR) cannot become: its values are in AMOUNT__V3')]);
    expect(await stagedRows('returned', ['ID', 'AMOUNT', 'AMOUNT__V2', 'AMOUNT__V3'])).toEqual([[1, 10, 'ten', 11]]);
    expect((await run('returned', 4, amount('NUMBER(38,0)'), [[1, 12]])).targets).toEqual({ AMOUNT: 'AMOUNT__V3' });
    expect(await stagedRows('returned', ['ID', 'AMOUNT', 'AMOUNT__V2', 'AMOUNT__V3'])).toEqual([[1, null, null, 12]]);
  });

  it('is decided alike by a second call, and after a run that failed', async () => {
    await run('repeated', 1, amount('NUMBER(38,0)'), [[1, 10]]);
    const planned = planOf('repeated', 2, amount('VARCHAR'));
    const first = await prepare(warehouse, planned, 2);
    const second = await prepare(warehouse, planned, 2);
    expect(second).toEqual({ ...first, changes: [] });
    const boolean = await run('repeated', 3, amount('BOOLEAN'), [[1, 'true']]);
    expect(boolean.targets).toEqual({ AMOUNT: 'AMOUNT__V3' });
    expect(boolean.notes).toEqual([expect.stringContaining('which AMOUNT (NUMBER(38,0)) cannot become')]);
    expect(await stagedRows('repeated', ['ID', 'AMOUNT', 'AMOUNT__V2', 'AMOUNT__V3'])).toEqual([[1, 10, null, true]]);
  });

  const changesAlone = { mode: 'incremental', cursor: { column: 'id', from: '1', onNull: 'error' }, deletes: { detect: false } } as const;

  it('of which nothing was merged leaves the first column in use when the first type returns', async () => {
    await run('undone', 1, amount('NUMBER(38,0)'), [
      [1, 10],
      [2, 20],
    ]);
    await prepare(warehouse, planOf('undone', 2, amount('VARCHAR')), 2);
    const undone = await run('undone', 3, { ...changesAlone, ...amount('NUMBER(38,0)') }, [[2, 21]]);
    expect(undone).toMatchObject({ targets: {}, notes: [] });
    expect(await stagedRows('undone', ['ID', 'AMOUNT'])).toEqual([
      [1, 10],
      [2, 21],
    ]);
    expect((await run('undone', 4, amount('VARCHAR'), [[1, 'ten']])).targets).toEqual({ AMOUNT: 'AMOUNT__V2' });
  });

  it('is not begun with the changes alone, where Plan could not know of it', async () => {
    await run('narrowed', 1, amount('NUMBER(30,10)'), [[1, 10]]);
    await run('narrowed', 2, amount('NUMBER(10,0)'), [[1, 10]]);
    // Wide enough for the type before, not for the column.
    await expect(run('narrowed', 3, { ...changesAlone, ...amount('NUMBER(30,0)') }, [[2, 20]])).rejects.toMatchObject({
      name: 'StagingMissing',
      message: expect.stringContaining('column amount is to be written to AMOUNT__V2, which earlier runs have not filled'),
    });
    await run('narrowed', 4, amount('NUMBER(30,0)'), [
      [1, 10],
      [2, 20],
    ]);
    await run('narrowed', 5, { ...changesAlone, ...amount('NUMBER(30,0)') }, [[2, 21]]);
    expect(await stagedRows('narrowed', ['ID', 'AMOUNT__V2'])).toEqual([
      [1, 10],
      [2, 21],
    ]);
  });

  it('takes no name that another column has', async () => {
    const taken = (type: string) => ({ columns: [...amount(type).columns, column('AMOUNT__V2', 'VARCHAR')] });
    await run('taken', 1, taken('NUMBER(38,0)'), [[1, 10, 'x']]);
    expect((await run('taken', 2, taken('VARCHAR'), [[1, 'ten', 'y']])).targets).toEqual({ AMOUNT: 'AMOUNT__V3' });
    expect(await stagedRows('taken', ['AMOUNT', 'AMOUNT__V2'])).toEqual([[10, 'y']]);
  });

  it('of raw alone is enough: JSON as text', async () => {
    const parsed = { columns: [id, column('AMOUNT', 'VARCHAR', { staging: 'VARIANT', convert: 'parse_json' })] };
    await run('as_text', 1, parsed, [[1, '{"a":1}']]);
    expect((await run('as_text', 2, amount('VARCHAR'), [[1, '{"a":1}']])).targets).toEqual({ AMOUNT: 'AMOUNT__V2' });
  });

  it('leaves what reads the old column as it is', async () => {
    await run('modelled', 1, amount('NUMBER(38,0)'), [[1, 10]]);
    await warehouse.query('CREATE VIEW GOLD.MODELLED AS SELECT ID, AMOUNT FROM STAGING_CLR.MODELLED');
    await run('modelled', 2, amount('VARCHAR'), [[1, 'ten']]);
    expect(await warehouse.query('SELECT AMOUNT FROM GOLD.MODELLED')).toEqual([{ AMOUNT: 10 }]);
  });

  it('of a key replaces all rows by those of a full run, and refuses an incremental one', async () => {
    const key = (type: string, more: PlanChanges = {}): PlanChanges => ({
      columns: [column('ID', type, { nullable: false }), note],
      ...more,
    });
    await run('rekeyed', 1, key('NUMBER(38,0)'), [
      [1, 'a'],
      [2, 'b'],
    ]);
    const changes = { mode: 'incremental', cursor: { column: 'id', from: null, onNull: 'error' } } as const;
    await expect(run('rekeyed', 2, key('VARCHAR', { ...changes, deletes: { detect: false } }), [])).rejects.toMatchObject({
      name: 'PrimaryKeyChanged',
      message: expect.stringContaining('was (ID) and is now (ID__V2)'),
    });
    await run('rekeyed', 3, key('VARCHAR'), [
      ['one', 'a'],
      ['two', 'b'],
    ]);
    expect(await stagedRows('rekeyed', ['ID__V2', 'ID', 'NOTE'])).toEqual([
      ['one', null, 'a'],
      ['two', null, 'b'],
    ]);
    await run('rekeyed', 4, key('VARCHAR', { ...changes, deletes: { detect: false } }), [['two', 'c']]);
    expect(await stagedRows('rekeyed', ['ID__V2', 'NOTE'])).toEqual([
      ['one', 'a'],
      ['two', 'c'],
    ]);
  });

  it('of a key counts rows that are marked as deleted for nothing', async () => {
    const soft = (key: string, maxFraction: number): PlanChanges => ({
      columns: [column('ID', key, { nullable: false })],
      deletes: { how: 'soft', maxFraction },
    });
    await run('rekeyed_soft', 1, soft('NUMBER(38,0)', 1), [[1], [2], [3]]);
    await run('rekeyed_soft', 2, soft('NUMBER(38,0)', 1), [[1]]);
    await run('rekeyed_soft', 3, soft('VARCHAR', 0), [['one']]);
    expect(await stagedRows('rekeyed_soft', ['ID__V2'])).toEqual([['one']]);
  });

  it('is written again by PROCESS_TABLE(source, database, table)', async () => {
    await run('again', 1, amount('NUMBER(38,0)'), [[1, 10]]);
    await run('again', 2, amount('VARCHAR'), [[1, 'ten']]);
    await warehouse.query('DELETE FROM STAGING_CLR.AGAIN');
    await warehouse.query("CALL FIRN.PROCESS_TABLE('PostgreSQL', 'clr', 'again')");
    expect(await stagedRows('again', ['ID', 'AMOUNT__V2'])).toEqual([[1, 'ten']]);
  });
});

describe('a column that the source has dropped (Snowflake local)', () => {
  const without = { columns: [id, column('PRICE', 'NUMBER(38,0)')] };
  const both = { columns: [...without.columns, note] };

  it('stays: its values too, until the row is written again', async () => {
    await run('dropped', 1, both, [
      [1, 10, 'a'],
      [2, 20, 'b'],
    ]);
    const first = await run('dropped', 2, without, [
      [1, 10],
      [2, 21],
    ]);
    expect(first.notes).toEqual(['Column NOTE is no longer read: it keeps its values, and is NULL in rows that later runs write.']);
    expect(await stagedRows('dropped', ['ID', 'PRICE', 'NOTE'])).toEqual([
      [1, 10, 'a'],
      [2, 21, 'b'],
    ]);
    const next = await run('dropped', 3, without, [
      [1, 10],
      [2, 22],
      [3, 30],
    ]);
    expect(next.notes).toEqual([]);
    expect(await stagedRows('dropped', ['ID', 'PRICE', 'NOTE'])).toEqual([
      [1, 10, 'a'],
      [2, 22, null],
      [3, 30, null],
    ]);
  });

  it('keeps its values when the table is merged again', async () => {
    const changes = { mode: 'incremental', cursor: { column: 'id', from: '1', onNull: 'error' }, deletes: { detect: false } } as const;
    await run('merged_again', 1, both, [
      [1, 10, 'a'],
      [2, 20, 'b'],
    ]);
    await run('merged_again', 2, { ...without, ...changes }, [[2, 21]]);
    await run('merged_again', 3, { ...without, ...changes }, [[2, 22]]);
    await warehouse.query("CALL FIRN.PROCESS_TABLE('PostgreSQL', 'clr', 'merged_again')");
    expect(await stagedRows('merged_again', ['ID', 'PRICE', 'NOTE'])).toEqual([
      [1, 10, 'a'],
      [2, 22, null],
    ]);
  });

  it('is filled again when it comes back', async () => {
    await run('back', 1, both, [[1, 10, 'a']]);
    await run('back', 2, without, [[1, 10]]);
    const back = await run('back', 3, both, [[1, 10, 'c']]);
    expect(back).toMatchObject({ notes: ['Column NOTE is new: VARCHAR.'], changes: [] });
    expect(await stagedRows('back', ['ID', 'NOTE'])).toEqual([[1, 'c']]);
  });

  it('is another thing than a column that somebody has added to staging', async () => {
    await run('annotated', 1, without, [[1, 10]]);
    await warehouse.query('ALTER TABLE STAGING_CLR.ANNOTATED ADD COLUMN REMARK VARCHAR');
    await warehouse.query("UPDATE STAGING_CLR.ANNOTATED SET REMARK = 'mine'");
    await run('annotated', 2, without, [[1, 11]]);
    expect(await stagedRows('annotated', ['ID', 'PRICE', 'REMARK'])).toEqual([[1, 11, 'mine']]);
  });

  it('may have been part of the key', async () => {
    await run('key_column', 1, { columns: [id, column('PART', 'NUMBER(38,0)', { nullable: false })], primaryKey: ['ID', 'PART'] }, [
      [1, 1],
    ]);
    await run('key_column', 2, { columns: [id], primaryKey: ['ID'] }, [[1]]);
    expect(await stagedRows('key_column', ['ID', 'PART'])).toEqual([[1, null]]);
  });
});

describe('a type that only got wider (Snowflake local)', () => {
  it.each([
    { what: 'more digits', from: 'NUMBER(10,2)', to: 'NUMBER(12,2)', value: '1234567890.12', shown: 1234567890.12 },
    { what: 'a longer text', from: 'VARCHAR', to: 'VARCHAR(134217728)', value: 'x', shown: 'x' },
  ])('$what: the column takes it in place, and rows not read again stay', async ({ what, from, to, value, shown }) => {
    const table = `wider_${what.replace(/\W/g, '_')}`;
    await run(table, 1, amount(from), [[1, '1.5']]);
    const changes = { mode: 'incremental', cursor: { column: 'id', from: '1', onNull: 'error' }, deletes: { detect: false } } as const;
    const wider = await run(table, 2, { ...changes, ...amount(to) }, [[2, value]]);
    expect(wider.targets).toEqual({});
    expect(wider.notes).toEqual([`Column AMOUNT was ${from} and is written as ${to}.`]);
    expect(await stagedRows(table, ['AMOUNT'])).toEqual([[from === 'VARCHAR' ? '1.5' : 1.5], [shown]]);
  });
});
