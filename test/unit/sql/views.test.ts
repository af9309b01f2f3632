import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Plan } from '../../../core/plan/plan.js';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import { type LocalSnowflake, startLocalSnowflake } from './local-snowflake.js';
import { ingest, planOf, prepare } from './table.js';

let snowflake: LocalSnowflake;
let warehouse: Warehouse;

beforeAll(async () => {
  snowflake = await startLocalSnowflake();
  warehouse = snowflake.warehouse;
});
afterAll(() => snowflake?.stop());

const record = ({ run }: Plan, event: string, detail: object, at: string) =>
  warehouse.query(
    `INSERT INTO FIRN.RUN_EVENTS (run_id, source, database, table_name, event, fence, at, detail)
SELECT CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), 1, TO_TIMESTAMP_NTZ(?), PARSE_JSON(?)`,
    [run.runId, run.source, run.database, run.table, event, at, JSON.stringify(detail)],
  );

const runOf = async ({ run }: Plan, columns: string) =>
  Object.values((await warehouse.query(`SELECT ${columns} FROM FIRN.RUNS WHERE run_id = ?`, [run.runId]))[0] ?? {});

it('RUNS shows a run from its preparation to its receipt', async () => {
  const plan = planOf('orders', 1);
  await prepare(warehouse, plan, 1);
  expect(await runOf(plan, 'STATUS, MODE, ROWS_LOADED')).toEqual(['RUNNING', 'full', null]);
  await ingest(warehouse, plan, 1, [[1, 'a']]);
  expect(await runOf(plan, 'STATUS, ROWS_LOADED, ROWS_INSERTED')).toEqual(['RUNNING', 1, 1]);
  const failure = { code: 'CountMismatch', remedy: 'bug', message: 'no', action: 'redrive' };
  await record(plan, 'FAILED', { mode: 'full', error: failure }, '2099-01-01 00:00:00');
  expect(await runOf(plan, 'STATUS, ERROR_CODE, ERROR_ACTION')).toEqual(['FAILED', 'CountMismatch', 'redrive']);
  expect(await warehouse.query('SELECT TABLE_NAME, CODE, MESSAGE FROM FIRN.LOAD_ERRORS')).toEqual([
    { TABLE_NAME: 'orders', CODE: 'CountMismatch', MESSAGE: 'no' },
  ]);
  await record(plan, 'SUCCEEDED', { mode: 'full', rows_read: 1, seconds: 1.5, error: null }, '2099-01-01 00:00:01');
  expect(await runOf(plan, 'STATUS, MODE, ROWS_READ, SECONDS, ERROR_CODE')).toEqual(['SUCCEEDED', 'full', 1, 1.5, null]);
});

it.each(['SUCCEEDED', 'SUPERSEDED'])('RUNS shows a run as %s, whatever an attempt that was given up records afterwards', async (end) => {
  const plan = planOf(`late_${end.toLowerCase()}`, 1);
  await prepare(warehouse, plan, 1);
  await record(plan, end, { mode: 'full' }, '2099-01-01 00:00:00');
  for (const late of ['PREPARED', 'SEALED', 'FAILED']) await record(plan, late, {}, '2099-01-01 00:00:01');
  expect(await runOf(plan, 'STATUS')).toEqual([end]);
});

it('TABLES shows the latest configuration of the tables that are still configured', async () => {
  const push = (table: string, version: number, config: object | null) =>
    warehouse.query(
      `INSERT INTO FIRN.TABLE_CONFIGS (source, database, table_name, version, config, pushed_at)
SELECT 'PostgreSQL', 'clr', CAST(? AS VARCHAR), CAST(? AS NUMBER), PARSE_JSON(?), SYSDATE()`,
      [table, version, config && JSON.stringify(config)],
    );
  await push('orders', 1, { mode: 'full' });
  await push('orders', 2, { mode: 'incremental', cursor_column: 'updated_at' });
  await push('retired', 1, { mode: 'full' });
  await push('retired', 2, null);
  expect(await warehouse.query('SELECT TABLE_NAME, VERSION, MODE, CURSOR_COLUMN FROM FIRN.TABLES')).toEqual([
    { TABLE_NAME: 'orders', VERSION: 2, MODE: 'incremental', CURSOR_COLUMN: 'updated_at' },
  ]);
});
