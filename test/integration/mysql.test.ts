import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, RedriveExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import getPort from 'get-port';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../core/receipt/receipt.js';
import { missingSpark } from '../unit/glue/local-spark.js';
import { mysqlDifferences } from './compare-mysql.js';
import { pushConfig, useSandbox } from './fixture.js';
import { connectMysql } from './mysql-source.js';

const missing = missingSpark();
if (missing) console.warn(missing);

const firn = useSandbox();
const opened: Connection[] = [];

let source: Connection;

async function connect(): Promise<Connection> {
  const connection = await connectMysql(firn.sandbox);
  opened.push(connection);
  return connection;
}

beforeAll(async () => {
  source = await connect();
});
afterAll(() => Promise.all(opened.map((connection) => connection.end())));

const ingest = async (table: string, options: object = {}): Promise<Receipt> => {
  const sql = "SELECT ingest_table('MySQL', 'shop', ?, PARSE_JSON(?)) AS receipt";
  const [row] = await firn.warehouse.query(sql, [table, JSON.stringify(options)]);
  return row!.RECEIPT as Receipt;
};

/** Spark starts several times, perhaps after others. */
const patience = 600_000;

/** The state of a run's execution once it has ended: a job may take longer than the call waits for. */
async function ended({ run_id, execution_arn }: Receipt): Promise<Receipt> {
  const status = async () => (await new SFNClient({}).send(new DescribeExecutionCommand({ executionArn: execution_arn! }))).status;
  await expect.poll(status, { timeout: patience, interval: 500 }).not.toMatch(/RUNNING|PENDING_REDRIVE/);
  return firn.status(run_id);
}

const begunAndEnded = async (table: string): Promise<Receipt> => ended(await ingest(table, { wait: false }));

async function expectEqual(table: string, key: string[] = ['id']): Promise<void> {
  expect(await mysqlDifferences(source, firn.warehouse, table, key)).toEqual([]);
}

describe("SELECT ingest_table('MySQL', 'shop', …)", () => {
  it.each([
    { table: 'products', key: ['sku'] },
    { table: 'order_lines', key: ['order_id', 'line'] },
  ])('a full load of $table is the table, and what is gone at the source goes', async ({ table, key }) => {
    expect(await ingest(table)).toMatchObject({ status: 'SUCCEEDED', mode: 'full' });
    await expectEqual(table, key);
    await source.query(
      `SET foreign_key_checks = 0; DELETE FROM ${table} ORDER BY ${key.join(', ')} LIMIT 7; UPDATE ${table} SET price = price + 1 LIMIT 5`,
    );
    expect(await ingest(table)).toMatchObject({ status: 'SUCCEEDED', rows_deleted: 7, rows_updated: 5 });
    await expectEqual(table, key);
  });

  it('orders: everything, then changes, then everything again', async () => {
    expect(await ingest('orders')).toMatchObject({ status: 'SUCCEEDED', mode: 'incremental', rows_inserted: 4000 });
    await expectEqual('orders');
    await source.query(`UPDATE orders SET amount = amount * 2, note = 'geändert 🎉' WHERE id % 100 = 0 AND amount > 0;
      INSERT INTO orders (customer_id, status, currency, is_gift, details, ordered_at) VALUES (1, 'new', 'EUR', b'1', '{"channel": "ü"}', '2025-12-31 23:59:59.999')`);
    const changed = await ingest('orders');
    expect(changed).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 1, rows_deleted: 0 });
    expect(changed.rows_read).toBeLessThan(200);
    await expectEqual('orders');
    await source.query('DELETE FROM order_lines WHERE order_id = 17; DELETE FROM orders WHERE id = 17');
    expect(await ingest('orders', { mode: 'full' })).toMatchObject({ status: 'SUCCEEDED', mode: 'full', rows_deleted: 1 });
    await expectEqual('orders');
  });

  it('customers: rows of a transaction that commits late, or was prepared, are not missed', async () => {
    expect(await ingest('customers')).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 800 });
    await expectEqual('customers');
    const [late, prepared] = [await connect(), await connect()];
    const row = (name: string) =>
      `INSERT INTO customers (first_name, last_name, country, newsletter, created_at) VALUES ('${name}', 'Spät', 'DE', 1, '2025-01-01')`;
    await late.query(`BEGIN; ${row('late')}`);
    await prepared.query(`XA START 'both'; ${row('prepared')}; XA END 'both'; XA PREPARE 'both'`);
    await source.query(row('early'));
    const first = await ingest('customers');
    expect(first).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 1 });
    expect(first.warnings.join()).toContain('both');
    await late.query('COMMIT');
    await prepared.query("XA COMMIT 'both'");
    expect(await ingest('customers')).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 2 });
    await expectEqual('customers');
  });

  // Here, not beside the other tests of Glue, since the next one takes the source away.
  describe.skipIf(missing)('engine: glue (real Spark; Glue itself is local)', () => {
    const columns = 'id, customer_id, status, amount, currency, note, tags, details, is_gift, preparation, ordered_at, updated_at';

    beforeAll(async () => {
      await source.query(`CREATE TABLE glue_orders LIKE orders; INSERT INTO glue_orders (${columns}) SELECT ${columns} FROM orders;
        CREATE TABLE glue_underflows (id int unsigned PRIMARY KEY, label text); INSERT INTO glue_underflows SELECT seq, seq FROM seq_1_to_200`);
      const tables = [
        { table: 'glue_orders', mode: 'incremental', cursor_column: 'updated_at', engine: 'glue', loader: 'copy' },
        { table: 'glue_underflows', row_filter: 'id - 5 > 0', engine: 'glue', loader: 'copy' },
      ];
      await pushConfig(firn.sandbox, [{ source: 'MySQL', database: 'shop', type: 'mysql', tables }]);
    });

    it('orders: everything, then changes', { timeout: patience }, async () => {
      const [{ count }] = (await source.query<RowDataPacket[]>('SELECT COUNT(*) AS count FROM glue_orders'))[0] as [{ count: string }];
      const first = await begunAndEnded('glue_orders');
      expect(first).toMatchObject({ status: 'SUCCEEDED', rows_inserted: Number(count), engine: 'glue', engine_reason: 'engine: glue' });
      await expectEqual('glue_orders');
      await source.query(`UPDATE glue_orders SET amount = -0.01, note = 'geändert 🎉', tags = '', is_gift = 1 - is_gift WHERE id <= 10;
        INSERT INTO glue_orders (customer_id, status, currency, is_gift, details, ordered_at) VALUES (1, 'new', 'EUR', b'1', '{"channel": "ü"}', '2025-12-31 23:59:59.999')`);
      const changed = await begunAndEnded('glue_orders');
      expect(changed).toMatchObject({ status: 'SUCCEEDED', mode: 'incremental', rows_updated: 10, rows_inserted: 1, engine: 'glue' });
      await expectEqual('glue_orders');
    });

    it('a job that fails says why, and a redrive brings every row once', { timeout: patience }, async () => {
      const failed = await begunAndEnded('glue_underflows');
      const message = expect.stringMatching(/^MySQL at \S+ database shop: BIGINT UNSIGNED value is out of range/);
      expect(failed).toMatchObject({ status: 'FAILED', error: { code: 'SourceQueryFailed', message } });
      await source.query('UPDATE glue_underflows SET id = id + 1000 WHERE id <= 5');
      await new SFNClient({}).send(new RedriveExecutionCommand({ executionArn: failed.execution_arn! }));
      expect(await ended(failed)).toMatchObject({ status: 'SUCCEEDED', run_id: failed.run_id, rows_read: 200, engine: 'glue' });
      await expectEqual('glue_underflows');
    });
  });

  it('a run that fails over an outage is redriven, and nothing is doubled', async () => {
    const secrets = new SecretsManagerClient({});
    const SecretId = firn.sandbox.mysql!.secret;
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
    await source.query("UPDATE orders SET note = 'after the outage' WHERE id <= 10");
    await secrets.send(
      new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify({ ...JSON.parse(SecretString!), port: await getPort() }) }),
    );
    const failed = await ingest('orders');
    expect(failed).toMatchObject({ status: 'FAILED', error: { code: 'SourceUnreachable' } });
    expect(JSON.stringify(failed)).not.toContain(JSON.parse(SecretString!).password);
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: SecretString! }));
    expect(await firn.redrive(failed)).toMatchObject({ status: 'SUCCEEDED', run_id: failed.run_id, rows_updated: 10, rows_inserted: 0 });
    await expectEqual('orders');
  });

  it('tells what it would do', async () => {
    const [row] = await firn.warehouse.query("SELECT ingest_plan('MySQL', 'shop', 'order_lines') AS plan");
    expect(row!.PLAN).toMatchObject({
      mode: 'full',
      primary_key: ['ORDER_ID', 'LINE'],
      chunks: 1,
      target: { staging: 'STAGING_SHOP.ORDER_LINES' },
    });
  });
});
