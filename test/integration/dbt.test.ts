import { DeleteRuleCommand, EventBridgeClient, PutRuleCommand, PutTargetsCommand, RemoveTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from '../unit/docs/pages.js';
import { pushConfig, useSandbox } from './fixture.js';

const firn = useSandbox();

/** `npx firn dbt …`: dbt itself, in a venv of its own, on the local Snowflake. */
async function dbt(...args: string[]): Promise<{ exitCode: number | undefined; output: string }> {
  const { exitCode, all } = await execa(`${root}/bin/firn.ts`, ['dbt', '--no-use-colors', ...args], {
    preferLocal: true,
    localDir: root,
    reject: false,
    stdin: 'ignore',
    all: true,
  });
  return { exitCode, output: all };
}

describe('dbt on top of staging', () => {
  beforeAll(async () => {
    const tables = ['raw_customers', 'raw_orders', 'raw_payments', 'online_retail'];
    const receipts = await Promise.all(tables.map(async (table) => firn.ingest(table, {}, await firn.session())));
    expect(receipts.map(({ status }) => status)).toEqual(tables.map(() => 'SUCCEEDED'));
    // Other tests have gold built, if they run.
    await firn.warehouse.query(
      'CREATE TABLE IF NOT EXISTS GOLD.DAILY_METRICS (METRIC_DATE DATE, CURRENCY VARCHAR, ORDERS NUMBER, CUSTOMERS NUMBER, REVENUE NUMBER(16, 2))',
    );
  });

  it('builds and tests all models, and finds its sources fresh', async () => {
    const build = await dbt('build');
    expect(build.output).toMatch(/ERROR=0/);
    expect(build.exitCode, build.output).toBe(0);
    const freshness = await dbt('source', 'freshness');
    expect(freshness.exitCode, freshness.output).toBe(0);

    const [{ PAID, OWED }] = (await firn.warehouse.query(
      `SELECT (SELECT SUM(AMOUNT) FROM MARTS.ORDERS) AS PAID, (SELECT SUM(AMOUNT) / 100 FROM STAGING_CLR.RAW_PAYMENTS) AS OWED`,
    )) as [{ PAID: number; OWED: number }];
    expect(Number(PAID)).toBeGreaterThan(0);
    expect(Number(PAID)).toBe(Number(OWED));
    const channels = await firn.warehouse.query('SELECT DISTINCT CHANNEL FROM MARTS.DAILY_METRICS ORDER BY CHANNEL');
    expect(channels.map(({ CHANNEL }) => CHANNEL)).toEqual(expect.arrayContaining(['online retail', 'raw shop']));
  });

  it("keeps a customer's former names", async () => {
    await firn.source.query("UPDATE raw_customers SET last_name = 'Firn.' WHERE id = 7");
    await firn.ingest('raw_customers');
    const { exitCode, output } = await dbt('snapshot');
    expect(exitCode, output).toBe(0);
    const names = await firn.warehouse.query(
      'SELECT LAST_NAME, DBT_VALID_TO IS NULL AS IS_CURRENT FROM MARTS.CUSTOMER_HISTORY WHERE CUSTOMER_ID = 7 ORDER BY DBT_VALID_FROM',
    );
    expect(names).toEqual([
      { LAST_NAME: expect.not.stringContaining('Firn.'), IS_CURRENT: false },
      { LAST_NAME: 'Firn.', IS_CURRENT: true },
    ]);
  });

  it('fails over a payment of an order that is not there', async () => {
    await firn.source.query("INSERT INTO raw_payments VALUES (900001, 900001, 'coupon', 100)");
    await firn.ingest('raw_payments');
    const broken = await dbt('build', '--select', 'stg_shop__payments');
    expect(broken.exitCode).toBe(1);
    expect(broken.output).toContain('relationships_stg_shop__payments_ORDER_ID');
    await firn.source.query('DELETE FROM raw_payments WHERE id = 900001');
    await firn.ingest('raw_payments');
    const mended = await dbt('build', '--select', 'stg_shop__payments');
    expect(mended.exitCode, mended.output).toBe(0);
  });

  it('fails over a table that was not merged for days, and over rows that no run has counted', async () => {
    const online = `STAGING = '"STAGING_CLR"."ONLINE_RETAIL"'`;
    await firn.warehouse.query(
      `UPDATE FIRN.RUN_RESULTS SET AT = DATEADD('day', -3, AT), ROWS_INSERTED = ROWS_INSERTED - 1 WHERE ${online}`,
    );
    const stale = await dbt('source', 'freshness');
    expect(stale.exitCode).toBe(1);
    expect(stale.output).toContain('ERROR STALE freshness of staging_clr.ONLINE_RETAIL');
    const uncounted = await dbt('test', '--select', 'source:staging_clr.ONLINE_RETAIL');
    expect(uncounted.exitCode).toBe(1);
    expect(uncounted.output).toContain('reconciled_with_runs_staging_clr_ONLINE_RETAIL');
    await firn.warehouse.query(`UPDATE FIRN.RUN_RESULTS SET AT = DATEADD('day', 3, AT), ROWS_INSERTED = ROWS_INSERTED + 1 WHERE ${online}`);
  });

  it('is told of tables with `after_run: dbt`, once they have changed', async () => {
    const [queues, events] = [new SQSClient({}), new EventBridgeClient({})];
    const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: 'dbt-is-told' }));
    const { Attributes } = await queues.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    const Name = 'dbt-is-told';
    await events.send(
      new PutRuleCommand({ Name, EventPattern: JSON.stringify({ source: ['firn'], 'detail-type': ['Firn tables changed'] }) }),
    );
    await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 'queue', Arn: Attributes!.QueueArn }] }));
    try {
      await firn.source.query('CREATE TABLE told (id integer PRIMARY KEY); INSERT INTO told VALUES (1)');
      await pushConfig(firn.sandbox, [
        {
          source: 'PostgreSQL',
          database: 'clr',
          type: 'postgres',
          permits: 4,
          tables: [{ table: 'told', loader: 'copy', after_run: 'dbt' }],
        },
      ]);
      expect((await firn.ingest('told')).status).toBe('SUCCEEDED');
      const received: { detail: { tables: { table: string }[] } }[] = [];
      const receive = async () => {
        const { Messages = [] } = await queues.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
        received.push(...Messages.map(({ Body }) => JSON.parse(Body!)));
        return received.flatMap(({ detail }) => detail.tables);
      };
      // Gold waits for runs of the same source, ten minutes at most; other files' tests start such runs all the time.
      await expect.poll(receive, { timeout: 660_000 }).toContainEqual({ source: 'PostgreSQL', database: 'clr', table: 'told' });
      expect(received[0]).toMatchObject({ source: 'firn', detail: { environment: 'dev' } });
    } finally {
      await events.send(new RemoveTargetsCommand({ Rule: Name, Ids: ['queue'] }));
      await events.send(new DeleteRuleCommand({ Name }));
      await queues.send(new DeleteQueueCommand({ QueueUrl }));
    }
  }, 720_000);
});
