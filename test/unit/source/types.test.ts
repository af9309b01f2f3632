import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnSchema } from '../../../core/column.js';
import { defaultPolicies } from '../../../core/source/postgres/types.js';
import type { TypeCase } from '../../types/case.js';
import { typeCases } from '../../types/postgres.js';
import { refusedCases } from '../../types/refused.js';
import { typeSetup } from '../../types/setup.js';
import { duckdb, type ExtractedTable, extractTable, pyarrow, removeFolders } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

let server: RunningPostgres;
let client: Client;
/** Per case: staging type, the value as DuckDB prints it, and whether pyarrow reads a NULL. */
const results = new Map<TypeCase, { staging: string; value: string | null; arrowNull: boolean; counted: boolean; secondRow: unknown }>();

beforeAll(async () => {
  server = await startPostgres();
  client = await server.connect();
  await client.query(typeSetup);
  const groups = Map.groupBy(typeCases, ({ policies }) => JSON.stringify(policies ?? {}));
  for (const [index, [policies, cases]] of [...groups].entries()) await runGroup(`types_${index}`, JSON.parse(policies), cases);
}, 60_000);
afterAll(async () => {
  removeFolders();
  await server.stop();
});

/** One table with a column per case, a row with the values and a row of NULLs. */
async function runGroup(name: string, policies: object, cases: TypeCase[]): Promise<void> {
  await client.query(`CREATE TABLE ${name} (id int PRIMARY KEY, ${cases.map(({ type }, i) => `c${i} ${type}`).join(', ')})`);
  const values = cases.map(({ type, sql }) => `(${sql})::${type}`).join(', ');
  await client.query(`INSERT INTO ${name} VALUES (1, ${values}); INSERT INTO ${name} (id) VALUES (2)`);
  const extracted = await extractTable(client, { table: name }, { policies: { ...defaultPolicies, ...policies } });
  const [values1, values2] = await printed(extracted, cases);
  const nulls = pyarrow<boolean[]>(extracted.folder, '[not c.is_valid().to_pylist()[0] for c in t.columns]');
  for (const [i, one] of cases.entries()) {
    const column = extracted.table.columns[i + 1]!;
    columnSchema.parse(column);
    results.set(one, {
      staging: column.staging,
      value: values1![i] as string | null,
      arrowNull: nulls[i + 1]!,
      counted: extracted.policyCounts[`C${i}: unbounded_numeric`] === 1,
      secondRow: values2![i],
    });
  }
}

function printed({ folder }: ExtractedTable, cases: TypeCase[]): Promise<unknown[][]> {
  const columns = cases.map(({ staging }, i) => (staging === 'BINARY' ? `hex(C${i})` : `CAST(C${i} AS VARCHAR)`));
  return duckdb(folder, `SELECT ${columns.join(', ')} FROM t ORDER BY id`);
}

describe('a value arrives exactly', () => {
  it.each(typeCases.map((one) => [one.type, one.sql.slice(0, 60), JSON.stringify(one.policies ?? ''), one] as const))(
    '%s %s %s',
    (_, __, ___, one) => {
      const { staging, value, counted = false } = one;
      expect(results.get(one)).toEqual({ staging, value, arrowNull: value === null, counted, secondRow: null });
    },
  );
});

describe('a value that does not fit is refused, naming table, row, column and value', () => {
  it.each(refusedCases.map((one) => [one.type, one.sql, one] as const))('%s %s', async (_, __, { type, sql, message, policies }) => {
    await client.query(`DROP TABLE IF EXISTS refused; CREATE TABLE refused (v ${type}, id int PRIMARY KEY)`);
    await client.query(`INSERT INTO refused VALUES (NULL, 6), ((${sql})::${type}, 7)`);
    const error: unknown = await extractTable(client, { table: 'refused' }, { policies: { ...defaultPolicies, ...policies } }).catch(
      (e) => e,
    );
    expect(error).toMatchObject({ code: 'ValueOutOfRange', message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(/^public\.refused, row id=7: column v/);
  });
});

it('counts what a policy replaced and tells the rows', async () => {
  await client.query(`CREATE TABLE counted (id int PRIMARY KEY, d date, n numeric(5,2), f numeric);
    INSERT INTO counted SELECT i, CASE WHEN i % 2 = 0 THEN date 'infinity' ELSE date '2024-01-01' END, CASE WHEN i % 10 = 0 THEN 'NaN'::numeric ELSE 1 END,
      CASE WHEN i % 5 = 0 THEN 0.1234567890123456789 ELSE 0.1 END FROM generate_series(1, 100) i`);
  const policies = { ...defaultPolicies, numeric_nan: 'null', date_out_of_range: 'clamp', unbounded_numeric: 'float' } as const;
  const { policyCounts, replaced } = await extractTable(client, { table: 'counted' }, { policies });
  expect(policyCounts).toEqual({ 'D: date_out_of_range': 50, 'N: numeric_nan': 10, 'F: unbounded_numeric': 20 });
  expect(replaced[0]).toEqual({ column: 'D', policy: 'date_out_of_range=clamp', value: 'infinity', key: 'id=2' });
  expect(replaced).toContainEqual({ column: 'F', policy: 'unbounded_numeric=float', value: '0.1234567890123456789', key: 'id=5' });
});

it('takes longer values where a column is declared large, and refuses those that are longer still', async () => {
  await client.query(`CREATE TABLE larger (id int PRIMARY KEY, t text, b bytea, j jsonb, v varchar(10), a text[], n numeric);
    INSERT INTO larger VALUES (1, repeat('x', 16777217), decode(repeat('ff', 8388609), 'hex'), to_jsonb(repeat('j', 16777215)), 'v', array[repeat('a', 16777213)], 1.50)`);
  const columns = { large: ['t', 'b', 'j', 'v', 'a', 'n'] };
  const { folder, table } = await extractTable(client, { table: 'larger' }, { columns });
  expect(table.columns.slice(1).map(({ raw, staging }) => [raw, staging])).toEqual([
    ['VARCHAR(134217728)', 'VARCHAR(134217728)'],
    ['BINARY(67108864)', 'BINARY(67108864)'],
    ['VARCHAR(134217728)', 'VARIANT'],
    ['VARCHAR(134217728)', 'VARCHAR(134217728)'],
    ['VARCHAR(134217728)', 'VARIANT'],
    ['VARCHAR(134217728)', 'VARCHAR(134217728)'],
  ]);
  expect(await duckdb(folder, 'SELECT strlen(t), octet_length(b), strlen(j), strlen(a), n FROM t')).toEqual([
    ['16777217', '8388609', '16777217', '16777217', '1.50'],
  ]);

  await client.query(`UPDATE larger SET b = convert_to(repeat('x', 67108865), 'UTF8')`);
  await expect(extractTable(client, { table: 'larger' }, { columns })).rejects.toMatchObject({
    code: 'ValueOutOfRange',
    message: 'public.larger, row id=1: column b (bytea) holds 67108865 bytes, which BINARY(67108864) cannot hold.',
  });
  await expect(extractTable(client, { table: 'larger' }, { columns: { large: ['id'] } })).rejects.toMatchObject({
    code: 'ConfigInvalid',
    message: 'public.larger: columns.large names id, whose type integer is neither text nor bytes.',
  });
});

it('takes the longest values that Snowflake holds', async () => {
  await client.query(`CREATE TABLE longest (id int PRIMARY KEY, t text, b bytea, j jsonb, a text[]);
    INSERT INTO longest VALUES (1, repeat('x', 16777216), decode(repeat('ff', 8388608), 'hex'), to_jsonb(repeat('j', 16777214)), array[repeat(E'\\n', 8388606)])`);
  const { folder } = await extractTable(client, { table: 'longest' });
  expect(await duckdb(folder, 'SELECT strlen(t), octet_length(b), strlen(j), strlen(a) FROM t')).toEqual([
    ['16777216', '8388608', '16777216', '16777216'],
  ]);
});
