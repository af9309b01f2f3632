import { beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../core/receipt/receipt.js';
import { beginLateOrder, liveADay } from '../../sandbox/demo/changes.js';
import { useSandbox } from './fixture.js';

const firn = useSandbox();

const tables = ['airlines', 'airports', 'planes', 'weather', 'flights', 'customers', 'orders', 'payments', 'availed_coupon_snapshots'];
const everyTable = `SELECT ingest_table(source, database, table_name) AS receipt FROM firn.tables WHERE table_name IN (${tables.map((name) => `'${name}'`).join(', ')})`;

async function ingestAll(): Promise<Map<string, Receipt>> {
  const rows = await firn.warehouse.query(everyTable);
  return new Map(rows.map(({ RECEIPT }) => [(RECEIPT as Receipt).table, RECEIPT as Receipt]));
}

const countAtSource = async (table: string): Promise<number> =>
  Number((await firn.source.query(`SELECT count(*) AS n FROM ${table}`)).rows[0].n);

describe('a week of the demo', () => {
  let first: Map<string, Receipt>;

  beforeAll(async () => {
    first = await ingestAll();
  });

  it('the first fan-out loads every table whole', async () => {
    for (const table of tables) {
      const rows = await countAtSource(table);
      expect(first.get(table), table).toMatchObject({
        status: 'SUCCEEDED',
        rows_read: rows,
        rows_loaded: rows,
        rows_merged: rows,
        rows_inserted: rows,
        watermark_before: null,
        error: null,
      });
    }
  });

  it.each(tables)('staging of %s is the source, column by column', async (table) => {
    await firn.expectEqual(table);
  });

  it('gold was built for the fan-out, not for each of its tables', async () => {
    const models = ['DAILY_METRICS', 'DIM_AIRPORT', 'DIM_CUSTOMER', 'FCT_FLIGHTS', 'FCT_ORDERS'];
    const built = async () => {
      const rows = await firn.warehouse.query("SELECT MODEL, COUNT(*) AS N FROM FIRN.GOLD_BUILDS WHERE STATUS = 'BUILT' GROUP BY MODEL");
      return new Map(rows.map(({ MODEL, N }) => [String(MODEL), Number(N)]));
    };
    // Gold waits for the runs of other tables, so that they share a build: here those of the other tests.
    await expect.poll(async () => [...(await built()).keys()].sort(), { timeout: 170_000, interval: 500 }).toEqual(models);
    // Another test's build may fall into the fan-out; alone, each model is built once.
    for (const [model, builds] of await built()) expect(builds, model).toBeLessThanOrEqual(2);
  });

  it('an incremental run moves what changed, and a late commit is found by the next', async () => {
    const commitLate = await beginLateOrder(firn.sandbox.postgres.adminUrl);
    await liveADay(firn.source);
    const orders = await firn.ingest('orders');
    expect(orders).toMatchObject({ status: 'SUCCEEDED', mode: 'incremental', rows_inserted: 20, rows_updated: 10, rows_deleted: 0 });
    expect(orders.watermark_before).toBe(first.get('orders')!.watermark_after);
    await commitLate();
    expect(await firn.ingest('orders')).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 1, rows_updated: 0 });
    await firn.expectEqual('orders');
    expect(await firn.ingest('customers')).toMatchObject({ rows_inserted: 5, rows_updated: 3 });
    expect(await firn.ingest('payments')).toMatchObject({ rows_inserted: 20 });
    await firn.expectEqual('customers');
    await firn.expectEqual('payments');
  });
});
