import { beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../core/receipt/receipt.js';
import { differences } from './compare.js';
import { pushConfig, useSandbox } from './fixture.js';

const firn = useSandbox();

/** Tables of their own, under another name of the database, so that what is pushed here meets no other test's configuration. */
const database = 'faults';
const configured = new Map<string, Record<string, unknown>>();

async function configure(table: string, config: Record<string, unknown>): Promise<void> {
  configured.set(table, { table, ...config });
  const { secret } = firn.sandbox.postgres;
  await pushConfig(firn.sandbox, [{ source: 'PostgreSQL', database, type: 'postgres', secret, tables: [...configured.values()] }]);
}

async function ingest(table: string, options: Record<string, unknown> = {}): Promise<Receipt> {
  const [row] = await firn.warehouse.query('SELECT ingest_table(?, ?, ?, PARSE_JSON(?)) AS receipt', [
    'PostgreSQL',
    database,
    table,
    JSON.stringify(options),
  ]);
  return row!.RECEIPT as Receipt;
}

async function expectEqual(table: string, key?: string[], staging = table.toUpperCase()): Promise<void> {
  const { source, warehouse } = firn;
  expect(
    await differences({ source, warehouse, table, ...(key && { key }), staging: { schema: 'STAGING_FAULTS', table: staging } }),
  ).toEqual([]);
}

const incremental = { mode: 'incremental', cursor_column: 'updated_at' };

/** Ten rows that nobody writes any more. */
const settled = (table: string) => `CREATE TABLE ${table} (id integer PRIMARY KEY, v text, updated_at timestamptz NOT NULL DEFAULT now());
  INSERT INTO ${table} SELECT n, 'v' || n, now() - interval '1 day' FROM generate_series(1, 10) n`;

describe('a table that is altered between two runs', () => {
  it.each([
    { table: 'fault_default', alter: 'ADD COLUMN d integer NOT NULL DEFAULT 7' },
    { table: 'fault_renamed', alter: 'RENAME v TO w' },
    { table: 'fault_shortened', alter: 'ALTER v TYPE char(1)  USING left(v, 1)' },
  ])('$alter: incremental', async ({ table, alter }) => {
    await firn.source.query(settled(table));
    await configure(table, incremental);
    await ingest(table);
    await firn.source.query(`ALTER TABLE ${table} ${alter}`);
    expect(await ingest(table)).toMatchObject({ status: 'SUCCEEDED', mode: 'incremental', rows_read: 10 });
    await expectEqual(table);
    expect(await ingest(table)).toMatchObject({ status: 'SUCCEEDED', rows_read: 0 });
  });

  it('RENAME: full, with the same values under the new name', async () => {
    await firn.source.query(settled('fault_full'));
    await configure('fault_full', { mode: 'full' });
    await ingest('fault_full');
    await firn.source.query('ALTER TABLE fault_full RENAME v TO w');
    await ingest('fault_full');
    await expectEqual('fault_full');
  });

  it('another primary key: an incremental run is refused, a full one replaces the rows, and no row is doubled', async () => {
    await firn.source.query(settled('fault_key'));
    await configure('fault_key', incremental);
    await ingest('fault_key');
    await firn.source.query(`ALTER TABLE fault_key ADD COLUMN uid uuid NOT NULL DEFAULT gen_random_uuid(), DROP CONSTRAINT fault_key_pkey;
      ALTER TABLE fault_key ADD PRIMARY KEY (uid)`);
    expect((await ingest('fault_key')).error?.code).toBe('PrimaryKeyChanged');
    expect(await ingest('fault_key', { mode: 'full' })).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 10, rows_deleted: 10 });
    await firn.source.query("INSERT INTO fault_key (id, v) VALUES (11, 'new')");
    expect(await ingest('fault_key')).toMatchObject({ status: 'SUCCEEDED', mode: 'incremental', rows_inserted: 1 });
    await expectEqual('fault_key');
  });

  it('a primary key where there was none, and the rows that were there twice are gone', async () => {
    await firn.source.query(
      "CREATE TABLE fault_keyless (a integer, b text); INSERT INTO fault_keyless VALUES (1, 'x'), (1, 'x'), (2, 'y')",
    );
    await configure('fault_keyless', { mode: 'full' });
    await ingest('fault_keyless');
    await firn.source.query(`DELETE FROM fault_keyless WHERE ctid = (SELECT min(ctid) FROM fault_keyless WHERE a = 1);
      ALTER TABLE fault_keyless ADD PRIMARY KEY (a)`);
    for (const _ of [1, 2]) expect((await ingest('fault_keyless')).status).toBe('SUCCEEDED');
    await expectEqual('fault_keyless');
  });

  it('TRUNCATE … RESTART IDENTITY under an integer cursor: the new rows are read', async () => {
    await firn.source.query(`CREATE TABLE fault_restarted (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
      INSERT INTO fault_restarted (v) SELECT 'old ' || n FROM generate_series(1, 10) n`);
    await configure('fault_restarted', { mode: 'incremental', cursor_column: 'id' });
    for (const _ of [1, 2]) await ingest('fault_restarted');
    await firn.source.query("TRUNCATE fault_restarted RESTART IDENTITY; INSERT INTO fault_restarted (v) VALUES ('new 1'), ('new 2')");
    expect(await ingest('fault_restarted')).toMatchObject({ status: 'SUCCEEDED', rows_updated: 2 });
  });
});

describe('a configuration that is pushed between two runs', () => {
  it('from pipe to copy and back: no file is loaded by both', async () => {
    await firn.source.query(
      "CREATE TABLE fault_loader (a integer, b text); INSERT INTO fault_loader SELECT n, 'v' FROM generate_series(1, 10) n",
    );
    for (const [rows, loader] of [
      [10, 'pipe'],
      [11, 'copy'],
      [12, 'pipe'],
    ] as const) {
      await configure('fault_loader', { mode: 'full', loader });
      expect(await ingest('fault_loader')).toMatchObject({ status: 'SUCCEEDED', rows_loaded: rows });
      await firn.source.query("INSERT INTO fault_loader VALUES (0, 'more')");
    }
  });

  it.each([
    { what: 'a column is included again', before: { columns: { exclude: ['v'] } }, after: {} },
    { what: 'the filter is wider', before: { row_filter: 'id <= 5' }, after: { row_filter: 'id <= 100 -- all' } },
    { what: 'it goes into another table', before: {}, after: { target: { table: 'FAULT_MOVED' } } },
  ])('$what: incremental', async ({ what, before, after }) => {
    const table = `fault_${what.replace(/\W/g, '_')}`;
    await firn.source.query(settled(table));
    await configure(table, { ...incremental, ...before });
    await ingest(table);
    await configure(table, { ...incremental, ...after });
    expect(await ingest(table)).toMatchObject({ status: 'SUCCEEDED', rows_read: 10 });
    await expectEqual(table, ['id'], 'target' in after ? after.target!.table : undefined);
  });
});

it('a staging table that was dropped is not begun anew with the changes alone', async () => {
  await firn.source.query(settled('fault_dropped'));
  await configure('fault_dropped', incremental);
  await ingest('fault_dropped');
  await firn.warehouse.query('DROP TABLE STAGING_FAULTS.FAULT_DROPPED');
  expect((await ingest('fault_dropped')).error?.code).toBe('StagingMissing');
  expect((await ingest('fault_dropped', { mode: 'full' })).status).toBe('SUCCEEDED');
  await expectEqual('fault_dropped');
});

it('JSON that is no object arrives as it is: null, strings, numbers', async () => {
  await firn.source.query(`CREATE TABLE fault_json (id integer PRIMARY KEY, j json, jb jsonb);
    INSERT INTO fault_json VALUES (1, 'null', 'null'), (2, '"text"', '"null"'), (3, '1.5', 'true'), (4, '""', '[]'), (5, NULL, NULL)`);
  await configure('fault_json', { mode: 'full' });
  expect(await ingest('fault_json')).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 5 });
  const rows = await firn.warehouse.query(
    'SELECT TO_JSON(J) AS J, TO_JSON(JB) AS JB, J IS NULL AS N FROM STAGING_FAULTS.FAULT_JSON ORDER BY ID',
  );
  expect(rows.map(({ J, JB, N }) => [J, JB, N])).toEqual([
    ['null', 'null', false],
    ['"text"', '"null"', false],
    ['1.5', 'true', false],
    ['""', '[]', false],
    [null, null, true],
  ]);
});

describe('a declared key that is NULL in a row', () => {
  beforeAll(async () => {
    await firn.source.query(
      "CREATE TABLE fault_null_key (code integer, v text); INSERT INTO fault_null_key VALUES (1, 'a'), (NULL, 'b'), (3, 'c')",
    );
    await configure('fault_null_key', { mode: 'full', primary_key: ['code'] });
  });

  it('is found again', async () => {
    await ingest('fault_null_key');
    expect(await ingest('fault_null_key')).toMatchObject({ status: 'SUCCEEDED', rows_unchanged: 3 });
    await expectEqual('fault_null_key', ['code']);
  });
});
