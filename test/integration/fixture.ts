import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, RedriveExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import pg from 'pg';
import { afterAll, beforeAll, expect } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../core/config/load.js';
import { preparePush, push } from '../../core/config/push.js';
import type { Receipt } from '../../core/receipt/receipt.js';
import { readSecret, snowflakeSecretSchema } from '../../core/secrets.js';
import { connectSnowflake, type Warehouse } from '../../core/warehouse/snowflake.js';
import { awsEnvironment } from '../../sandbox/aws.js';
import { sandboxDirectory } from '../../sandbox/paths.js';
import { readState, type SandboxState } from '../../sandbox/state.js';
import { differences } from './compare.js';
import { testTables } from './tables.js';

/** The sandbox of the suite, with a session at each end. */
export interface Fixture {
  sandbox: SandboxState;
  /** Superuser at the source. */
  source: pg.Client;
  warehouse: Warehouse;
  /** Another Snowflake session: two statements of one session run one after the other. */
  session(): Promise<Warehouse>;
  ingest(table: string, options?: Record<string, unknown>, warehouse?: Warehouse): Promise<Receipt>;
  status(runId: string): Promise<Receipt>;
  redrive(receipt: Receipt): Promise<Receipt>;
  /** Fails the test when staging is not the table at the source, value by value. */
  expectEqual(table: string, staging?: string): Promise<void>;
}

/** Sessions to the sandbox for the tests of one file, closed after them. */
export function useSandbox(): Fixture {
  const fixture = {} as Fixture;
  const opened: Warehouse[] = [];

  beforeAll(async () => {
    const sandbox = readState(sandboxDirectory());
    if (!sandbox) throw new Error('the sandbox of the suite is not up');
    Object.assign(process.env, awsEnvironment(sandbox.aws.endpoint));
    const source = new pg.Client({ connectionString: sandbox.postgres.adminUrl });
    await source.connect();
    const session = async () => {
      const warehouse = await openWarehouse(sandbox);
      opened.push(warehouse);
      return warehouse;
    };
    const warehouse = await session();
    Object.assign(fixture, { sandbox, source, warehouse, session });
  });

  afterAll(async () => {
    await Promise.all(opened.map((warehouse) => warehouse.close()));
    await fixture.source?.end();
  });

  const receiptOf = async (warehouse: Warehouse, sql: string, binds: string[]): Promise<Receipt> => {
    const [row] = await warehouse.query(sql, binds);
    return row!.RECEIPT as Receipt;
  };

  fixture.ingest = (table, options, warehouse = fixture.warehouse) =>
    options
      ? receiptOf(warehouse, "SELECT ingest_table('PostgreSQL', 'clr', ?, PARSE_JSON(?)) AS receipt", [table, JSON.stringify(options)])
      : receiptOf(warehouse, "SELECT ingest_table('PostgreSQL', 'clr', ?) AS receipt", [table]);

  fixture.status = (runId) => receiptOf(fixture.warehouse, 'SELECT ingest_status(?) AS receipt', [runId]);

  fixture.redrive = async (receipt) => {
    const client = new SFNClient({});
    const executionArn = receipt.execution_arn!;
    await client.send(new RedriveExecutionCommand({ executionArn }));
    await expect
      .poll(async () => (await client.send(new DescribeExecutionCommand({ executionArn }))).status, { timeout: 90_000, interval: 250 })
      .not.toMatch(/RUNNING|PENDING_REDRIVE/);
    return fixture.status(receipt.run_id);
  };

  fixture.expectEqual = async (table, staging = table.toUpperCase()) => {
    const { source, warehouse } = fixture;
    expect(await differences({ source, warehouse, table, staging: { schema: 'STAGING_CLR', table: staging } })).toEqual([]);
  };

  return fixture;
}

/** Makes the tests' tables at the source and pushes their configuration, once per suite. */
export async function pushTestTables(sandbox: SandboxState): Promise<void> {
  Object.assign(process.env, awsEnvironment(sandbox.aws.endpoint));
  const source = new pg.Client({ connectionString: sandbox.postgres.adminUrl });
  await source.connect();
  for (const { sql } of testTables) await source.query(sql);
  await source.end();

  const tables = testTables.map(({ table, config }) => ({ table, ...config }));
  await pushConfig(sandbox, [{ source: 'PostgreSQL', database: 'clr', type: 'postgres', permits: 4, tables }]);
}

/** Pushes sources beside those that are there, in YAML's words. */
export async function pushConfig(sandbox: SandboxState, sources: unknown[]): Promise<void> {
  const store = {
    documents: DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } }),
    table: sandbox.tables.config,
  };
  const warehouse = await openWarehouse(sandbox);
  const prepared = await preparePush(store, parseConfig([{ file: 'configuration of the tests', text: stringify({ sources }) }]), 'keep');
  await push(store, (sql, binds) => warehouse.query(sql, binds), prepared);
  await warehouse.close();
}

async function openWarehouse(sandbox: SandboxState): Promise<Warehouse> {
  const client = new SecretsManagerClient({});
  const secret = await readSecret(client, sandbox.snowflake.secret, snowflakeSecretSchema, 'WarehouseCredentialsRejected');
  const warehouse = await connectSnowflake(secret, { queryTag: { from: 'test' } });
  await warehouse.query('USE SCHEMA FIRN');
  return warehouse;
}
