import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Receipt } from '../../core/receipt/receipt.js';
import { differences } from './compare.js';
import { pushConfig, useSandbox } from './fixture.js';

/** A source of its own: an open transaction of another test would hold these tables back too. */
const database = 'late';
const firn = useSandbox();
let source: pg.Client;

beforeAll(async () => {
  await firn.source.query(`CREATE DATABASE ${database}`);
  source = await connect('others');
  await source.query(`
    CREATE TABLE tickets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text, updated_at timestamptz NOT NULL DEFAULT now());
    INSERT INTO tickets (label, updated_at) SELECT 'ticket ' || n, now() - interval '1 hour' FROM generate_series(1, 200) n;
    CREATE TABLE plain_tickets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text);
    INSERT INTO plain_tickets (label) SELECT 'ticket ' || n FROM generate_series(1, 200) n;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO firn`);
  const secrets = new SecretsManagerClient({});
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: firn.sandbox.postgres.secret }));
  const secret = `firn/dev/PostgreSQL/${database}`;
  await secrets.send(new CreateSecretCommand({ Name: secret, SecretString: JSON.stringify({ ...JSON.parse(SecretString!), database }) }));
  const incremental = { mode: 'incremental', loader: 'copy' };
  const tables = [
    { table: 'tickets', ...incremental, cursor_column: 'updated_at', hold_back_warning_seconds: 0 },
    { table: 'plain_tickets', ...incremental, cursor_column: 'xmin' },
  ];
  await pushConfig(firn.sandbox, [{ source: 'PostgreSQL', database, type: 'postgres', tables }]);
});
afterAll(() => source?.end());

let writer: pg.Client;
let pid: number;
beforeEach(async () => {
  writer = await connect('month end');
  pid = (await writer.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
});
afterEach(() => writer.end());

async function connect(application: string): Promise<pg.Client> {
  const connectionString = firn.sandbox.postgres.adminUrl.replace(/clr$/, database);
  const client = new pg.Client({ connectionString, application_name: application });
  await client.connect();
  return client;
}

async function ingest(table: string): Promise<Receipt> {
  const [row] = await firn.warehouse.query("SELECT ingest_table('PostgreSQL', ?, ?) AS receipt", [database, table]);
  return row!.RECEIPT as Receipt;
}

async function loadedAt(table: string): Promise<Map<string, string>> {
  const rows = await firn.warehouse.query(
    `SELECT TO_VARCHAR(ID) AS ID, TO_VARCHAR(_FIRN_LOADED_AT) AS AT FROM STAGING_LATE.${table.toUpperCase()}`,
  );
  return new Map(rows.map(({ ID, AT }) => [String(ID), String(AT)]));
}

const expectEqual = async (table: string) =>
  expect(
    await differences({ source, warehouse: firn.warehouse, table, staging: { schema: 'STAGING_LATE', table: table.toUpperCase() } }),
  ).toEqual([]);

const insert = (client: pg.Client, table: string, label: string) => client.query(`INSERT INTO ${table} (label) VALUES ($1)`, [label]);

// Transactions of other databases count for xmin, so there its least number is known, not the exact one.
describe.each([
  { table: 'tickets', cursor: 'a timestamp', unchanged: (n: number): unknown => n },
  { table: 'plain_tickets', cursor: 'xmin', unchanged: (n: number): unknown => expect.toSatisfy((rows: number) => rows >= n) },
])('a write transaction that stays open, cursor: $cursor', ({ table, cursor, unchanged }) => {
  it('hides nothing of the others, loses nothing of its own, and each receipt says who and how old', async () => {
    expect((await ingest(table)).rows_inserted).toBe(200);
    await writer.query('BEGIN');
    await insert(writer, table, 'late');
    const { rows } = await writer.query(`SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS since`);

    const before = await loadedAt(table);
    const receipts: Receipt[] = [];
    for (const run of [1, 2, 3]) {
      await insert(source, table, `others ${run}`);
      receipts.push(await ingest(table));
    }
    // What came since the transaction began is read by each run, and written once.
    expect(receipts).toMatchObject(
      [0, 1, 2].map((n) => ({ status: 'SUCCEEDED', rows_inserted: 1, rows_unchanged: unchanged(n), rows_updated: 0 })),
    );
    if (cursor !== 'xmin') {
      for (const { held_back_by } of receipts) {
        expect(held_back_by).toMatchObject({ pid, application: 'month end', prepared: null, since: rows[0].since });
      }
    }
    const ages = receipts.map(({ held_back_by }) => held_back_by!.seconds);
    expect(ages).toEqual(ages.toSorted((a, b) => a - b));
    const after = await loadedAt(table);
    expect(after.size).toBe(before.size + 3);
    for (const [id, at] of before) expect(after.get(id)).toBe(at);

    await writer.query('COMMIT');
    expect(await ingest(table)).toMatchObject({ rows_inserted: 1, rows_unchanged: unchanged(3), rows_updated: 0 });
    await expectEqual(table);
  });
});

it('is warned of from the declared age on, in the receipt and in firn.runs; when it has ended, no more', async () => {
  await writer.query('BEGIN');
  const held = await ingest('tickets');
  await writer.query('ROLLBACK');
  expect(held.warnings.join()).toContain(`Session ${pid} (`);
  const recorded = () => firn.warehouse.query('SELECT warnings AS W FROM firn.runs WHERE run_id = ?', [held.run_id]);
  // The end of a run is recorded in Snowflake after the SELECT has its answer.
  await expect
    .poll(async () => JSON.stringify(await recorded()), { timeout: 60_000 })
    .toContain('until it ends, each run reads again what was written since then');
  expect(await ingest('tickets')).toMatchObject({ held_back_by: null, warnings: [] });
});

it('reads by xmin what was updated, in a table that notes no time', async () => {
  await ingest('plain_tickets');
  await source.query("UPDATE plain_tickets SET label = 'changed' WHERE id <= 5");
  expect(await ingest('plain_tickets')).toMatchObject({ status: 'SUCCEEDED', rows_updated: 5, rows_inserted: 0 });
  await expectEqual('plain_tickets');
});
