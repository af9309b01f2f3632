import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Plan } from '../../../core/plan/plan.js';
import { qualifiedName } from '../../../core/warehouse/identifiers.js';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import { type LocalSnowflake, startLocalSnowflake } from './local-snowflake.js';
import { column, id, ingest, note, planOf, prepare, staged } from './table.js';

let snowflake: LocalSnowflake;
let warehouse: Warehouse;

beforeAll(async () => {
  snowflake = await startLocalSnowflake();
  warehouse = snowflake.warehouse;
});
afterAll(() => snowflake?.stop());

const columnsOf = async (schema: string, table: string) =>
  (
    await warehouse.query(
      'SELECT column_name AS NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position',
      [schema, table],
    )
  ).map(({ NAME }) => NAME);

const events = (plan: Plan) =>
  warehouse.query('SELECT event AS EVENT, fence AS FENCE FROM FIRN.RUN_EVENTS WHERE run_id = ? ORDER BY fence', [plan.run.runId]);

it('creates raw, staging, view and pipe, and records the plan', async () => {
  const plan = planOf('fresh', 1);
  expect(await prepare(warehouse, plan, 1)).toEqual({
    raw: '"RAW_CLR"."FRESH"',
    staging: '"STAGING_CLR"."FRESH"',
    pipe: '"RAW_CLR"."FRESH_PIPE"',
    created: true,
    changes: [],
    targets: {},
    notes: [],
  });
  expect(await columnsOf('RAW_CLR', 'FRESH')).toEqual([
    'ID',
    'NOTE',
    '_FIRN_RUN',
    '_FIRN_OP',
    '_FIRN_ORDER',
    '_FIRN_FILE',
    '_FIRN_ROW',
    '_FIRN_LOADED_AT',
  ]);
  expect(await columnsOf('STAGING_CLR', 'FRESH')).toEqual([
    'ID',
    'NOTE',
    '_FIRN_ORDER',
    '_FIRN_RUN',
    '_FIRN_HASH',
    '_FIRN_DELETED',
    '_FIRN_LOADED_AT',
  ]);
  const [run] = await warehouse.query('SELECT STATUS, MODE, STARTED_AT FROM FIRN.RUNS WHERE run_id = ?', [plan.run.runId]);
  expect(run).toEqual({ STATUS: 'RUNNING', MODE: 'full', STARTED_AT: '2025-11-05T12:00:00Z' });
});

it('changes nothing when it runs again, and records a new claim', async () => {
  const plan = planOf('repeated', 1);
  await prepare(warehouse, plan, 1);
  expect(await prepare(warehouse, plan, 1)).toMatchObject({ created: false, changes: [] });
  await prepare(warehouse, plan, 2);
  expect(await events(plan)).toEqual([
    { EVENT: 'PREPARED', FENCE: 1 },
    { EVENT: 'PREPARED', FENCE: 2 },
  ]);
});

it('adds new columns to raw, view and staging, and keeps those that the source has dropped', async () => {
  await ingest(warehouse, planOf('evolving', 1), 1, [[1, 'a']]);
  const plan = planOf('evolving', 2, { columns: [id, column('EXTRA', 'VARCHAR')] });
  expect((await prepare(warehouse, plan, 2)).changes).toEqual([
    'RAW_CLR.EVOLVING.EXTRA added as VARCHAR',
    'STAGING_CLR.EVOLVING.EXTRA added as VARCHAR',
  ]);
  await ingest(warehouse, plan, 2, [
    [1, 'x'],
    [2, 'y'],
  ]);
  expect(await staged(warehouse, plan, ['NOTE'])).toEqual([
    [1, 'x', 'a'],
    [2, 'y', null],
  ]);
  expect(await columnsOf('RAW_CLR', 'EVOLVING_COMMITTED')).toContain('EXTRA');
});

it.each([
  'NUMBER(38,0)',
  'NUMBER(12,2)',
  'FLOAT',
  'BOOLEAN',
  'DATE',
  'TIME(6)',
  'TIMESTAMP_NTZ(6)',
  'TIMESTAMP_LTZ(6)',
  'TIMESTAMP_TZ(6)',
  'VARCHAR',
  'VARIANT',
  'BINARY',
])('finds a column of type %s as it made it', async (type) => {
  const table = `kept_${type.replace(/\W/g, '_')}`;
  const columns = [id, column('VALUE', type)];
  await prepare(warehouse, planOf(table, 1, { columns }), 1);
  expect(await prepare(warehouse, planOf(table, 2, { columns }), 2)).toMatchObject({ created: false, changes: [] });
});

it('widens numbers', async () => {
  const amount = (type: string) => ({ columns: [id, column('AMOUNT', type)] });
  await ingest(warehouse, planOf('widened', 1, amount('NUMBER(5,2)')), 1, [[1, '999.99']]);
  const plan = planOf('widened', 2, amount('NUMBER(12,2)'));
  expect((await prepare(warehouse, plan, 2)).changes).toEqual([
    'RAW_CLR.WIDENED.AMOUNT widened from NUMBER(5,2) to NUMBER(12,2)',
    'STAGING_CLR.WIDENED.AMOUNT widened from NUMBER(5,2) to NUMBER(12,2)',
  ]);
  await ingest(warehouse, plan, 2, [[1, '1234567890.12']]);
  expect(await staged(warehouse, plan)).toEqual([[1, 1234567890.12]]);
});

it('makes no pipe for a table that is loaded by COPY', async () => {
  expect(await prepare(warehouse, planOf('copied', 1, { loader: 'copy' }), 1)).toMatchObject({ pipe: null });
});

it('drops the pipe of a table that is loaded by COPY from now on: both would load each file', async () => {
  const pipes = async () => (await warehouse.query("SHOW PIPES LIKE 'SWITCHED_PIPE' IN SCHEMA RAW_CLR")).length;
  await prepare(warehouse, planOf('switched', 1), 1);
  expect(await pipes()).toBe(1);
  const plan = planOf('switched', 2, { loader: 'copy' });
  await prepare(warehouse, plan, 2);
  await prepare(warehouse, plan, 2);
  expect(await pipes()).toBe(0);
  await prepare(warehouse, planOf('switched', 3), 3);
  expect(await pipes()).toBe(1);
});

it('fills a column that was renamed, though no value has changed', async () => {
  await ingest(warehouse, planOf('renamed', 1), 1, [[1, 'a']]);
  const plan = planOf('renamed', 2, { columns: [id, column('REMARK', 'VARCHAR')] });
  expect(await ingest(warehouse, plan, 2, [[1, 'a']])).toMatchObject({ rows_updated: 1 });
  expect(await staged(warehouse, plan)).toEqual([[1, 'a']]);
});

it('does not begin a table anew with the changes alone', async () => {
  const changes = (from: string | null) => ({ mode: 'incremental', cursor: { column: 'id', from, onNull: 'error' } }) as const;
  await expect(prepare(warehouse, planOf('dropped', 2, changes('5')), 2)).rejects.toMatchObject({ name: 'StagingMissing' });
  expect(await columnsOf('STAGING_CLR', 'DROPPED')).toEqual([]);
  expect(await prepare(warehouse, planOf('dropped', 3, changes(null)), 3)).toMatchObject({ created: true });
});

it('refuses staging in which another table has counted more runs: its rows would never be replaced', async () => {
  const former = planOf('former_name', 5, { loader: 'copy' });
  await ingest(warehouse, former, 5, [[1, 'a']]);
  const renamed = (fence: number) => planOf('new_name', fence, { loader: 'copy', target: former.target });
  await expect(ingest(warehouse, renamed(1), 1, [[1, 'b']])).rejects.toMatchObject({
    name: 'ConfigInvalid',
    message: expect.stringContaining('"STAGING_CLR"."FORMER_NAME" holds rows of PostgreSQL clr.former_name, which would count as newer'),
  });
  await warehouse.query('DROP TABLE STAGING_CLR.FORMER_NAME');
  await ingest(warehouse, renamed(2), 2, [[1, 'b']]);
  await ingest(warehouse, renamed(3), 3, [[1, 'c']]);
  expect(await staged(warehouse, former)).toEqual([[1, 'c']]);
});

it('takes names that would be SQL', async () => {
  const name = `o'clock"; DROP SCHEMA FIRN; --`;
  const base = planOf('hostile', 1);
  const plan = { ...base, run: { ...base.run, table: name }, target: { ...base.target, rawTable: name, stagingTable: name } };
  expect(await ingest(warehouse, plan, 1, [[1, 'a']])).toMatchObject({ rows_inserted: 1 });
  expect(await warehouse.query(`SELECT NOTE FROM ${qualifiedName('STAGING_CLR', name)}`)).toEqual([{ NOTE: 'a' }]);
});

it('may run beside itself', async () => {
  const plan = planOf('beside', 1, { columns: [id, note] });
  const sessions = await Promise.all([snowflake.connect(), snowflake.connect()]);
  await Promise.all(sessions.map((session) => prepare(session, plan, 1)));
  await Promise.all(sessions.map((session) => session.close()));
  expect(await ingest(warehouse, plan, 1, [[1, 'a']])).toMatchObject({ rows_inserted: 1 });
});
