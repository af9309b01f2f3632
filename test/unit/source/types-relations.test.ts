import { rmSync } from 'node:fs';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Column } from '../../../core/column.js';
import { quoteRelation } from '../../../core/source/postgres/query.js';
import { quoteIdentifier } from '../../../core/warehouse/identifiers.js';
import { refusedRelations, relationCases } from '../../types/relations.js';
import { duckdb, extractTable, removeFolders, secretFor } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

let server: RunningPostgres;
let client: Client;

beforeAll(async () => {
  server = await startPostgres();
  client = await server.connect();
  await client.query("SET TimeZone = 'UTC'");
}, 60_000);
afterAll(async () => {
  removeFolders();
  rmSync(`/tmp/firn-file-fdw-${server.port}.csv`, { force: true });
  await server.stop();
});

/** One digest of a row's texts, the same in PostgreSQL and in DuckDB. */
const digest = (columns: Column[], name: (column: Column) => string): string => {
  const texts = columns.map((column) => {
    const value = name(column);
    if (column.staging === 'BINARY') return `coalesce(md5(${value}), '-')`;
    if (column.staging === 'VARIANT') return `coalesce(md5(replace(CAST(${value} AS VARCHAR), ' ', '')), '-')`;
    return `coalesce(md5(CAST(${value} AS VARCHAR)), '-')`;
  });
  return `md5(concat(${chunks(texts).join(', ')}))`;
};

/** PostgreSQL takes 100 arguments. */
const chunks = (texts: string[]): string[] =>
  Array.from({ length: Math.ceil(texts.length / 90) }, (_, i) => `concat(${texts.slice(90 * i, 90 * (i + 1)).join(', ')})`);

describe('every row of a relation arrives', () => {
  it.each(relationCases.map((one) => [one.what, one] as const))('%s', async (_, { sql, rows, ...expected }) => {
    await client.query(sql.replaceAll('$PORT', String(server.port)));
    const relation = { schema: expected.schema ?? 'public', table: expected.table };
    const { folder, table } = await extractTable(client, relation);
    const { columns } = table;
    const source = ({ name, staging }: Column): string => {
      const column = `"${name.replaceAll('"', '""')}"`;
      return staging === 'VARIANT' ? `to_json(${column})` : column;
    };
    const there = await client.query({
      text: `SELECT ${digest(columns, source)} FROM ${quoteRelation(relation)} ORDER BY 1`,
      rowMode: 'array',
    });
    const here = await duckdb(folder, `SELECT ${digest(columns, ({ target }) => quoteIdentifier(target))} FROM t ORDER BY 1`);
    expect(here).toHaveLength(rows);
    expect(here).toEqual(there.rows);
    if (expected.kind) expect(table.kind).toBe(expected.kind);
    if (expected.primaryKey) expect(table.primaryKey).toEqual(expected.primaryKey);
    if (expected.targets) expect(columns.map(({ target }) => target)).toEqual(expected.targets);
    if (expected.staging) expect(columns.map(({ staging }) => staging)).toEqual(expected.staging);
  });
});

describe('a relation that cannot be read is refused', () => {
  it.each(refusedRelations.map((one) => [one.what, one] as const))('%s', async (_, { sql, table, code, message }) => {
    await client.query(sql);
    const error: unknown = await extractTable(client, { table }).catch((e) => e);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

it('reads a database of another encoding', async () => {
  await client.query("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  const latin = await server.connect({ database: 'latin' });
  await latin.query(
    `CREATE TYPE "größe" AS ENUM ('groß'); CREATE TABLE "ä" (id int PRIMARY KEY, "é" text, s "größe", a text[]); INSERT INTO "ä" VALUES (1, 'naïve ÿ', 'groß', '{ü}')`,
  );
  const { folder } = await extractTable(latin, { table: 'ä' }, {}, { connection: { ...secretFor(server.port), database: 'latin' } });
  expect(await duckdb(folder, 'SELECT * FROM t')).toEqual([[1, 'naïve ÿ', 'groß', '["ü"]']]);
});

describe('a database of SQL_ASCII', () => {
  let raw: Client;
  const connection = () => ({ connection: { ...secretFor(server.port), database: 'raw' } });

  beforeAll(async () => {
    await client.query("CREATE DATABASE raw ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
    raw = await server.connect({ database: 'raw' });
    await raw.query(
      `CREATE TABLE mixed (name text PRIMARY KEY, v text, a text[], n int); INSERT INTO mixed VALUES ('ä', '日本 🦊', '{ü}', 1)`,
    );
  });

  it('arrives exactly where it is UTF-8', async () => {
    const { folder } = await extractTable(raw, { table: 'mixed' }, {}, connection());
    expect(await duckdb(folder, 'SELECT * FROM t')).toEqual([['ä', '日本 🦊', '["ü"]', 1]]);
  });

  it.each([
    { what: 'a byte that begins nothing', column: 'v', hex: '61ff62', shown: 'a\\377b' },
    { what: 'LATIN1', column: 'v', hex: '6e61ef7665', shown: 'na\\357ve' },
    { what: 'a character cut in two', column: 'v', hex: '61c3', shown: 'a\\303' },
    { what: 'an overlong form', column: 'v', hex: 'c0af', shown: '\\300\\257' },
    { what: 'a surrogate', column: 'v', hex: 'eda080', shown: '\\355\\240\\200' },
    { what: 'beyond Unicode', column: 'v', hex: 'f4908080', shown: '\\364\\220\\200\\200' },
    { what: 'an element of an array', column: 'a', hex: '7bff7d', shown: '{\\377}' },
  ])('names column, row and bytes of $what', async ({ column, hex, shown }) => {
    const type = column === 'a' ? 'text[]' : 'text';
    await raw.query(`DELETE FROM mixed WHERE n = 7; INSERT INTO mixed (name, n, ${column})
      SELECT 'ö', 7, convert_from('\\x${hex}', 'SQL_ASCII')::${type}`);
    await expect(extractTable(raw, { table: 'mixed' }, {}, connection())).rejects.toMatchObject({
      code: 'ValueOutOfRange',
      message: `public.mixed, row name=\\303\\266: column ${column} (${type}) holds ${shown}, which is not UTF-8.`,
    });
  });
});
