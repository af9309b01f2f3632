import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LoadedConfig, parseConfig } from '../../../core/config/load.js';
import { preparePush, push } from '../../../core/config/push.js';
import { type ConfigStore, readStored } from '../../../core/config/store.js';
import type { Query } from '../../../core/config/table-configs.js';
import { readConfiguredTable } from '../../../core/state/table-configs.js';
import { type LocalSnowflake, startLocalSnowflake } from '../sql/local-snowflake.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';

let aws: LocalAws;
let store: ConfigStore;
let snowflake: LocalSnowflake;

beforeAll(async () => {
  [aws, snowflake] = await Promise.all([startLocalAws(), startLocalSnowflake()]);
});
afterAll(() => Promise.all([aws?.stop(), snowflake?.stop()]));
beforeEach(async () => {
  const table = `config_${ulid()}`;
  store = { documents: await createStateTable(table), table };
  await snowflake.warehouse.query('DELETE FROM FIRN.TABLE_CONFIGS');
});

const config = (tables: string[], settings = ''): LoadedConfig =>
  parseConfig([
    {
      file: 'tables.yaml',
      text: `sources: [{ source: PostgreSQL, database: clr, type: postgres${settings}, tables: [${tables.join(', ')}] }]`,
    },
  ]);
const query: Query = (sql, binds) => snowflake.warehouse.query(sql, binds);
/** FIRN.TABLES: table → version. */
const recorded = async (): Promise<Record<string, number>> => {
  const rows = await snowflake.warehouse.query('SELECT table_name, version FROM FIRN.TABLES ORDER BY table_name');
  return Object.fromEntries(rows.map(({ TABLE_NAME, VERSION }) => [TABLE_NAME, Number(VERSION)]));
};
const rowCount = async (): Promise<number> =>
  Number((await snowflake.warehouse.query('SELECT COUNT(*) AS N FROM FIRN.TABLE_CONFIGS'))[0]!.N);
const pushAll = async (...tables: string[]) => push(store, query, await preparePush(store, config(tables), 'remove'));
const read = (table: string) => readConfiguredTable(store, { source: 'PostgreSQL', database: 'clr', table });
const version = async () => (await readStored(store)).get('PostgreSQL#clr')?.version;

describe('firn config push (local AWS, local Snowflake)', () => {
  it('makes tables known to the functions and to SQL in one version', async () => {
    await pushAll('{ table: orders, mode: incremental, cursor_column: updated_at }', '{ table: planes }');
    expect(await read('orders')).toMatchObject({
      source: { source: 'PostgreSQL', database: 'clr', type: 'postgres', permits: 4 },
      config: { table: 'orders', mode: 'incremental', cursor_column: 'updated_at', loader: 'pipe' },
      configVersion: 1,
    });
    expect(await recorded()).toEqual({ orders: 1, planes: 1 });
    const [row] = await snowflake.warehouse.query("SELECT mode, cursor_column, config FROM FIRN.TABLES WHERE table_name = 'orders'");
    expect(row).toMatchObject({ MODE: 'incremental', CURSOR_COLUMN: 'updated_at', CONFIG: { table: 'orders', deletes: 'hard' } });
  });

  it('writes nothing when nothing differs', async () => {
    await pushAll('{ table: orders }');
    expect(await pushAll('{ table: orders }')).toBe(0);
    expect(await version()).toBe(1);
    expect(await rowCount()).toBe(1);
  });

  it('raises the version of the tables that changed', async () => {
    await pushAll('{ table: orders }', '{ table: planes }');
    await pushAll('{ table: orders, deletes: soft }', '{ table: planes }');
    expect(await recorded()).toEqual({ orders: 2, planes: 1 });
    expect((await read('orders')).configVersion).toBe(2);
  });

  it('takes a table out, and in again with a greater version', async () => {
    await pushAll('{ table: orders }', '{ table: planes }');
    await pushAll('{ table: orders }');
    await expect(read('planes')).rejects.toMatchObject({ code: 'TableNotConfigured' });
    expect(await recorded()).toEqual({ orders: 1 });
    await pushAll('{ table: orders }', '{ table: planes }');
    expect(await recorded()).toEqual({ orders: 1, planes: 3 });
  });

  it('leaves the tables of other files alone when some files are pushed', async () => {
    await pushAll('{ table: orders }', '{ table: planes }');
    await push(store, query, await preparePush(store, config(['{ table: payments }']), 'keep'));
    expect(Object.keys(await recorded()).sort()).toEqual(['orders', 'payments', 'planes']);
  });

  it('refuses a table whose name in Snowflake an earlier push has taken', async () => {
    await pushAll('{ table: sales.orders }');
    const preparing = preparePush(store, config(['{ table: sales_orders }']), 'keep');
    await expect(preparing).rejects.toMatchObject({ code: 'ConfigInvalid', message: expect.stringContaining('RAW_CLR.SALES_ORDERS') });
  });

  it('lets one of two pushes at once through, and tells the other', async () => {
    await pushAll('{ table: orders }');
    const [first, second] = await Promise.all([
      preparePush(store, config(['{ table: orders, deletes: soft }']), 'remove'),
      preparePush(store, config(['{ table: orders, loader: copy }']), 'remove'),
    ]);
    const results = await Promise.allSettled([push(store, query, first), push(store, query, second)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected') as PromiseRejectedResult;
    expect(refused.reason).toMatchObject({ code: 'ConfigConflict', message: expect.stringContaining('PostgreSQL/clr') });
    expect(await version()).toBe(2);
  });

  it('lets one of two first pushes at once through', async () => {
    const prepared = await Promise.all([1, 2].map(() => preparePush(store, config(['{ table: orders }']), 'remove')));
    const results = await Promise.allSettled(prepared.map((one) => push(store, query, one)));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('records later what a push could not record in Snowflake', async () => {
    const away: Query = async (sql, binds) => {
      if (sql.includes('INSERT')) throw new Error('Snowflake is away');
      return query(sql, binds);
    };
    const prepared = await preparePush(store, config(['{ table: orders }']), 'remove');
    await expect(push(store, away, prepared)).rejects.toThrow('Snowflake is away');
    expect(await recorded()).toEqual({});
    expect(await pushAll('{ table: orders }')).toBe(1);
    expect(await recorded()).toEqual({ orders: 1 });
  });

  it('goes on from the versions that Snowflake remembers when the stack was made anew', async () => {
    for (let pushes = 1; pushes <= 3; pushes += 1) await pushAll(`{ table: orders, lookback_seconds: ${pushes} }`);
    const table = `config_${ulid()}`;
    store = { documents: await createStateTable(table), table };
    await pushAll('{ table: orders }');
    expect(await recorded()).toEqual({ orders: 4 });
  });

  it('carries more tables than one transaction holds', async () => {
    const names = Array.from({ length: 230 }, (_, index) => `{ table: t${index} }`);
    await pushAll(...names);
    expect(Object.keys(await recorded())).toHaveLength(230);
    expect(await read('t229')).toMatchObject({ configVersion: 3 });
    expect(await pushAll(...names)).toBe(0);
  });
});
