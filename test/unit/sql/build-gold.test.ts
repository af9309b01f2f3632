import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import { bundleSql } from '../../../sql/bundle.js';
import { parseModel } from '../../../sql/gold-model.js';
import { type LocalSnowflake, startLocalSnowflake } from './local-snowflake.js';
import { call, column, id, ingest, planOf } from './table.js';

let snowflake: LocalSnowflake;
let warehouse: Warehouse;
let table: string;
let fence: number;
let tables = 0;

beforeAll(async () => {
  snowflake = await startLocalSnowflake();
  warehouse = snowflake.warehouse;
});
afterAll(() => snowflake?.stop());
beforeEach(() => {
  tables += 1;
  table = `input_${tables}`;
  fence = 0;
});

const build = () => call(warehouse, 'CALL FIRN.BUILD_GOLD()');
const run = (rows: (string | number | null)[][]) => {
  fence += 1;
  return ingest(warehouse, planOf(table, fence, { deletes: { maxFraction: 1 } }), fence, rows);
};
const model = (name: string, reads: string, query: string, kind = 'table') =>
  parseModel(`-- model: ${name}\n-- kind: ${kind}\n-- key: ID\n-- reads: ${reads}\n${query}\n`);
const input = () => `STAGING_CLR.${table.toUpperCase()}`;
const rowsOf = async (name: string, columns: string) =>
  (await warehouse.query(`SELECT ${columns} FROM GOLD.${name} ORDER BY ${columns}`)).map((row) => Object.values(row));

it('builds what is new or changed, each model after those it reads, and nothing else', async () => {
  await run([[1, 'a']]);
  await snowflake.deployGold([
    model('A_TOTAL', 'GOLD.B_ROWS', 'SELECT COUNT(*) AS ID FROM GOLD.B_ROWS'),
    model('B_ROWS', input(), `SELECT ID, NOTE FROM ${input()}`),
  ]);
  expect(await build()).toEqual({ built: ['B_ROWS', 'A_TOTAL'], unchanged: [], skipped: [], failed: [] });
  expect(await build()).toEqual({ built: [], unchanged: ['B_ROWS', 'A_TOTAL'], skipped: [], failed: [] });

  await run([[1, 'a']]);
  expect(await build()).toMatchObject({ built: [] });

  await run([
    [1, 'a'],
    [2, 'b'],
  ]);
  expect(await build()).toMatchObject({ built: ['B_ROWS', 'A_TOTAL'] });
  expect(await rowsOf('A_TOTAL', 'ID')).toEqual([[2]]);
});

it('builds again when the SQL of a model changes, and forgets a model that is gone', async () => {
  await run([[1, 'a']]);
  await snowflake.deployGold([model('C', input(), `SELECT ID FROM ${input()}`), model('D', input(), `SELECT ID FROM ${input()}`)]);
  await build();
  await snowflake.deployGold([model('C', input(), `SELECT ID + 1 AS ID FROM ${input()}`)]);
  expect(await build()).toEqual({ built: ['C'], unchanged: [], skipped: [], failed: [] });
  expect(await rowsOf('C', 'ID')).toEqual([[2]]);
});

it('skips a model without its inputs, and says so', async () => {
  await snowflake.deployGold([
    model('E', 'STAGING_CLR.NOT_YET', 'SELECT ID FROM STAGING_CLR.NOT_YET'),
    model('F', 'GOLD.E', 'SELECT ID FROM GOLD.E'),
  ]);
  expect(await build()).toMatchObject({
    skipped: [
      { model: 'E', reason: 'STAGING_CLR.NOT_YET does not exist yet' },
      { model: 'F', reason: 'GOLD.E does not exist yet' },
    ],
  });
});

it('goes on when a model fails, and records why', async () => {
  await run([[1, 'a']]);
  await snowflake.deployGold([
    model('G', input(), `SELECT NO_SUCH_COLUMN AS ID FROM ${input()}`),
    model('H', input(), `SELECT ID FROM ${input()}`),
  ]);
  expect(await build()).toMatchObject({ built: ['H'], failed: [{ model: 'G', message: expect.stringContaining('NO_SUCH_COLUMN') }] });
  expect(await warehouse.query(`SELECT STATUS FROM FIRN.GOLD_BUILDS WHERE model IN ('G', 'H') ORDER BY model`)).toEqual([
    { STATUS: 'FAILED' },
    { STATUS: 'BUILT' },
  ]);
});

it('keeps each version of a row in a history', async () => {
  await run([
    [1, 'a'],
    [2, null],
    [3, 'c'],
  ]);
  await snowflake.deployGold([model('I', input(), `SELECT ID, NOTE FROM ${input()}`, 'history')]);
  await build();
  await run([
    [1, 'A'],
    [2, null],
  ]);
  await build();
  await run([
    [1, 'A'],
    [2, null],
    [3, 'c'],
  ]);
  await build();
  expect(await rowsOf('I', 'ID, NOTE, IS_CURRENT, IFF(VALID_TO IS NULL, TRUE, FALSE)')).toEqual([
    [1, 'A', true, true],
    [1, 'a', false, false],
    [2, null, true, true],
    [3, 'c', false, false],
    [3, 'c', true, true],
  ]);
  // One version ends when the next begins.
  expect(
    await warehouse.query('SELECT COUNT(*) AS N FROM GOLD.I AS a JOIN GOLD.I AS b ON a.ID = b.ID AND a.VALID_TO = b.VALID_FROM'),
  ).toEqual([{ N: 1 }]);
});

it('adds a column to a history', async () => {
  await run([[1, 'a']]);
  await snowflake.deployGold([model('J', input(), `SELECT ID FROM ${input()}`, 'history')]);
  await build();
  await snowflake.deployGold([model('J', input(), `SELECT ID, NOTE FROM ${input()}`, 'history')]);
  expect(await build()).toMatchObject({ built: ['J'] });
  expect(await rowsOf('J', 'ID, NOTE, IS_CURRENT')).toEqual([
    [1, 'a', true],
    [1, null, false],
  ]);
});

it('refuses a history whose key is not unique', async () => {
  await run([[1, 'a']]);
  await snowflake.deployGold([model('K', input(), `SELECT ID FROM ${input()} UNION ALL SELECT ID FROM ${input()}`, 'history')]);
  expect(await build()).toMatchObject({ failed: [{ model: 'K', message: 'key ID is not unique: 1' }] });
});

it("builds the demo's models from its tables", async () => {
  const text = (name: string) => column(name, 'VARCHAR');
  const number = (name: string, type = 'NUMBER(38,0)') => column(name, type);
  const instant = (name: string) => column(name, 'TIMESTAMP_TZ(6)');
  const at = '2025-11-05 12:00:00+00:00';
  const demo = {
    customers: [
      [id, text('FIRST_NAME'), text('LAST_NAME'), text('EMAIL'), text('COUNTRY'), text('CITY'), text('SEGMENT'), instant('CREATED_AT')],
      [1, 'Ann', 'Lee', 'a@x', 'DE', 'Ulm', 'b2b', at],
    ],
    orders: [
      [id, number('CUSTOMER_ID'), text('STATUS'), number('AMOUNT', 'NUMBER(12,2)'), text('CURRENCY'), instant('ORDERED_AT')],
      [7, 1, 'paid', '12.50', 'EUR', at],
    ],
    payments: [
      [id, number('ORDER_ID'), number('AMOUNT', 'NUMBER(12,2)'), instant('PAID_AT')],
      [9, 7, '12.50', at],
    ],
    airlines: [
      [text('CARRIER'), text('NAME')],
      ['UA', 'United'],
    ],
    airports: [
      [text('FAA'), text('NAME'), number('LAT', 'FLOAT'), number('LON', 'FLOAT'), number('ALT'), text('TZONE')],
      ['JFK', 'Kennedy', 40.6, -73.8, 13, 'America/New_York'],
    ],
    flights: [
      [
        id,
        text('CARRIER'),
        number('FLIGHT'),
        text('TAILNUM'),
        text('ORIGIN'),
        text('DEST'),
        number('DEP_TIME'),
        number('DEP_DELAY'),
        number('ARR_DELAY'),
        number('AIR_TIME'),
        number('DISTANCE'),
        instant('TIME_HOUR'),
      ],
      [1, 'UA', 1545, 'N14228', 'EWR', 'IAH', 517, 2, 11, 227, 1400, at],
    ],
  } as const;
  for (const [name, [columns, row]] of Object.entries(demo)) {
    const plan = planOf(name, 1, { columns: [...columns], primaryKey: [columns[0].target] });
    await ingest(warehouse, plan, 1, [[...row]]);
  }
  await snowflake.deployGold(bundleSql().gold);
  expect(await build()).toEqual({
    built: ['DIM_AIRPORT', 'DIM_CUSTOMER', 'FCT_FLIGHTS', 'FCT_ORDERS', 'DAILY_METRICS'],
    unchanged: [],
    skipped: [],
    failed: [],
  });
  expect(await rowsOf('DAILY_METRICS', 'CURRENCY, ORDERS, REVENUE, PAID, ORDERS_LOST')).toEqual([['EUR', 1, 12.5, 12.5, 0]]);
  expect(await rowsOf('DIM_CUSTOMER', 'CUSTOMER_NAME, IS_CURRENT')).toEqual([['Ann Lee', true]]);
});
