import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeTable } from '../../../core/source/postgres/catalog.js';
import { duckdb, extractTable, removeFolders, secretFor } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

let server: RunningPostgres;
let client: Client;

beforeAll(async () => {
  server = await startPostgres();
  client = await server.connect();
  await client.query(`CREATE TABLE people (id int PRIMARY KEY, email text, born date, tags text[], card bytea);
    INSERT INTO people VALUES (1, 'ä@x.org', '2000-02-29', '{a}', '\\x00'), (2, NULL, '1999-12-31', '{}', NULL)`);
}, 60_000);
afterAll(async () => {
  removeFolders();
  await server.stop();
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

it('sends the hash of the value as text, and NULL as NULL', async () => {
  const mask = { email: 'sha256', born: 'sha256', tags: 'sha256', card: 'sha256' } as const;
  const { folder, table } = await extractTable(client, { table: 'people' }, { columns: { mask } });
  expect(table.columns.map(({ staging, mask: how }) => [staging, how])).toEqual([
    ['NUMBER(38,0)', undefined],
    ...Array(4).fill(['VARCHAR', 'sha256']),
  ]);
  expect(await duckdb(folder, 'SELECT email, born, tags, card FROM t ORDER BY id')).toEqual([
    [sha256('ä@x.org'), sha256('2000-02-29'), sha256('{a}'), sha256('\\x00')],
    [null, sha256('1999-12-31'), sha256('{}'), null],
  ]);
});

it("puts the secret's salt before it", async () => {
  const connection = { ...secretFor(server.port), mask_salt: "pe'pper\\" };
  const { folder } = await extractTable(client, { table: 'people' }, { columns: { mask: { email: 'sha256' } } }, { connection });
  expect(await duckdb(folder, 'SELECT email FROM t ORDER BY id')).toEqual([[sha256("pe'pper\\ä@x.org")], [null]]);
});

it('masks a key as the files of keys do', async () => {
  const settings = { columns: { mask: { id: 'sha256' } } } as const;
  const { folder, table } = await extractTable(client, { table: 'people' }, settings);
  expect(table.columns[0]).toMatchObject({ staging: 'VARCHAR', nullable: false });
  expect(await duckdb(folder, 'SELECT id FROM t ORDER BY email NULLS LAST')).toEqual([[sha256('1')], [sha256('2')]]);
});

it('sends NULL in place of the value, and keeps the type', async () => {
  const mask = { email: 'null', born: 'null', tags: 'null', card: 'null' } as const;
  const { folder, table, policyCounts } = await extractTable(client, { table: 'people' }, { columns: { mask } });
  expect(table.columns.map(({ staging }) => staging)).toEqual(['NUMBER(38,0)', 'VARCHAR', 'DATE', 'VARIANT', 'BINARY']);
  expect(await duckdb(folder, 'SELECT email, born, tags, card FROM t')).toEqual([Array(4).fill(null), Array(4).fill(null)]);
  expect(policyCounts).toEqual({});
});

it('refuses to mask a column that is not there', async () => {
  const described = describeTable(client, { schema: 'public', table: 'people' }, { columns: { mask: { mail: 'sha256' } } });
  await expect(described).rejects.toMatchObject({
    code: 'ConfigInvalid',
    message: 'public.people: columns.mask names mail, which is not a column of the table.',
  });
});
