import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import pg from 'pg';
import { stringify } from 'yaml';
import { parseConfig } from '../core/config/load.js';
import { preparePush, push } from '../core/config/push.js';
import type { Receipt } from '../core/receipt/receipt.js';
import { readSecret, snowflakeSecretSchema } from '../core/secrets.js';
import { connectSnowflake, type Warehouse } from '../core/warehouse/snowflake.js';
import { awsEnvironment } from '../sandbox/aws.js';
import { reset } from '../sandbox/down.js';
import { projectRoot } from '../sandbox/paths.js';
import { readState, type SandboxState } from '../sandbox/state.js';
import { up } from '../sandbox/up.js';
import { startLoad } from './load.js';
import { phases, type Round, safetyReport, variants } from './safety-report.js';

/** Of its own for each measurement. */
const database = `safety_${process.pid}`;
const load = { rate: 200, shortest: 0.01, longest: 2 };
const rowsBefore = 100_000;

export interface SafetyOptions {
  rounds: number;
  /** Directory of a sandbox that is up, and stays so. Not given: one is brought up and removed. */
  sandbox?: string;
}

/** Steady load, incremental runs one after the other, a write transaction that stays open during the middle ones; from the receipts. */
export async function benchSafety({ rounds, sandbox }: SafetyOptions): Promise<void> {
  if (sandbox) return writePage(await measure(readState(sandbox)!, rounds));
  const directory = join(projectRoot, '.firn/bench-sandbox');
  await reset(directory);
  try {
    writePage(await measure(await up({ directory }), rounds));
  } finally {
    await reset(directory);
  }
}

function writePage(measured: { rounds: Round[]; reached: number }): void {
  const page = safetyReport({ ...load, rowsBefore, ...measured, cores: os.cpus().length, date: new Date().toISOString().slice(0, 10) });
  writeFileSync(join(projectRoot, 'docs/performance-safety.md'), page);
}

async function measure(sandbox: SandboxState, rounds: number): Promise<{ rounds: Round[]; reached: number }> {
  Object.assign(process.env, awsEnvironment(sandbox.aws.endpoint));
  const url = sandbox.postgres.adminUrl.replace(/clr$/, database);
  await makeTables(sandbox, url);
  const warehouse = await openWarehouse(sandbox);
  await configure(sandbox, warehouse);
  const sessions = await Promise.all(variants.map(() => openWarehouse(sandbox)));
  const ingestAll = () => Promise.all(variants.map(({ table }, i) => ingest(sessions[i]!, table)));
  await ingestAll();

  const writing = startLoad({ url, tables: variants.map(({ table }) => table), ...load });
  const long = new pg.Client({ connectionString: url, application_name: 'month end' });
  await long.connect();
  const measured: Round[] = [];
  // The first runs under load find an empty lookback.
  for (let warming = 0; warming < 2; warming++) await ingestAll();
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (round === Math.floor(rounds / 3)) {
      await long.query('BEGIN');
      for (const { table } of variants) await long.query(`INSERT INTO ${table} (note) VALUES ('late')`);
    }
    if (round === Math.floor((2 * rounds) / 3)) await long.query('COMMIT');
    const runs = await ingestAll();
    measured.push({ phase: phases[Math.min(2, Math.floor((3 * round) / rounds))]!, runs });
    for (const [i, { table }] of variants.entries()) console.log(`${round + 1} ${table}: ${JSON.stringify(runs[i])}`);
  }
  const seconds = (performance.now() - began) / 1000;
  await writing.stop();
  await long.end();
  await Promise.all([warehouse, ...sessions].map((session) => session.close()));
  const changed = measured.flatMap(({ runs }) => runs).reduce((sum, run) => sum + run.changed, 0);
  return { rounds: measured, reached: Math.round(changed / seconds / variants.length) };
}

async function ingest(warehouse: Warehouse, table: string): Promise<Round['runs'][number]> {
  const [row] = await warehouse.query("SELECT ingest_table('PostgreSQL', ?, ?) AS receipt", [database, table]);
  const { run_id, status, rows_read, rows_inserted, rows_updated, rows_unchanged, held_back_by, error } = row!.RECEIPT as Receipt;
  if (status !== 'SUCCEEDED') throw new Error(`${table}: ${status} ${error?.message}`);
  // Counted in staging, not taken from the receipt: what the MERGE wrote.
  const [written] = await warehouse.query(
    `SELECT COUNT(*) AS N FROM STAGING_${database.toUpperCase()}.${table.toUpperCase()} WHERE _FIRN_RUN = ?`,
    [run_id],
  );
  const held = held_back_by && held_back_by.application === 'month end' ? held_back_by.seconds : null;
  return { read: rows_read!, changed: rows_inserted! + rows_updated!, again: rows_unchanged!, written: Number(written!.N), held };
}

async function makeTables({ postgres }: SandboxState, url: string): Promise<void> {
  const admin = new pg.Client({ connectionString: postgres.adminUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${database}`);
  await admin.end();
  const source = new pg.Client({ connectionString: url });
  await source.connect();
  for (const { table } of variants) {
    await source.query(`CREATE TABLE ${table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text, changed timestamptz NOT NULL DEFAULT now());
      INSERT INTO ${table} (note, changed) SELECT md5(n::text), now() - interval '1 day' FROM generate_series(1, ${rowsBefore}) n;
      CREATE INDEX ON ${table} (changed); GRANT SELECT ON ${table} TO firn`);
  }
  await source.end();
}

async function configure({ tables, postgres }: SandboxState, warehouse: Warehouse): Promise<void> {
  const secrets = new SecretsManagerClient({});
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: postgres.secret }));
  const Name = `firn/dev/PostgreSQL/${database}`;
  await secrets.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify({ ...JSON.parse(SecretString!), database }) }));
  const configured = variants.map(({ table, config }) => ({ table, mode: 'incremental', loader: 'copy', ...config }));
  const text = stringify({ sources: [{ source: 'PostgreSQL', database, type: 'postgres', tables: configured }] });
  const store = {
    documents: DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } }),
    table: tables.config,
  };
  await push(store, (sql, binds) => warehouse.query(sql, binds), await preparePush(store, parseConfig([{ file: 'bench', text }]), 'keep'));
}

async function openWarehouse({ snowflake }: SandboxState): Promise<Warehouse> {
  const secret = await readSecret(new SecretsManagerClient({}), snowflake.secret, snowflakeSecretSchema, 'WarehouseCredentialsRejected');
  const warehouse = await connectSnowflake(secret, { queryTag: { from: 'bench' } });
  await warehouse.query('USE SCHEMA FIRN');
  return warehouse;
}
