import fc from 'fast-check';
import type { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultPolicies } from '../../../core/source/postgres/types.js';
import { duckdb, extractTable, removeFolders } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

let server: RunningPostgres;
let client: Client;

beforeAll(async () => {
  server = await startPostgres();
  client = await server.connect();
}, 60_000);
afterAll(async () => {
  removeFolders();
  await server?.stop();
});

const digits = (most: number): fc.Arbitrary<string> => fc.bigInt({ min: -(10n ** BigInt(most)), max: 10n ** BigInt(most) }).map(String);
const power = (most: number): fc.Arbitrary<number> => fc.integer({ min: -most, max: most });
const numerics = fc.oneof(
  fc.tuple(digits(16), power(24)).map(([n, e]) => `${n}e${e}`),
  fc.tuple(digits(40), power(260)).map(([n, e]) => `${n}e${e}`),
  // Just beside the middle between two doubles.
  fc
    .tuple(fc.bigInt({ min: 1n << 53n, max: 1n << 60n }), fc.constantFrom('', '.5', '.0000000001', '.9999999999'))
    .map(([n, e]) => `${n}${e}`),
  fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 })
    .filter((value) => Math.abs(value) > 1e-300)
    .map(String),
  fc.constantFrom('0', '0.000', '1000000000000000', '999999999999999', '1e20', '1e24', '1e-20', '1e-24', 'NaN', 'Infinity', '-Infinity'),
);

it('any numeric becomes the double that PostgreSQL makes of it, and is counted when that prints as another number', async () => {
  const policies = { ...defaultPolicies, unbounded_numeric: 'float' };
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(numerics, { freq: 20 }), { minLength: 1, maxLength: 300 }), async (values) => {
      await client.query('DROP TABLE IF EXISTS doubles; CREATE TABLE doubles (id int PRIMARY KEY, v numeric)');
      await client.query('INSERT INTO doubles SELECT i, v::numeric FROM unnest($1::text[]) WITH ORDINALITY AS u(v, i)', [values]);
      const { rows: expected } = await client.query<{ v: number | null; changed: boolean | null }>(
        'SELECT v::float8, v::float8::text::numeric <> v AS changed FROM doubles ORDER BY id',
      );
      const { folder, policyCounts } = await extractTable(client, { table: 'doubles' }, { policies });
      const read = await duckdb(folder, 'SELECT v::VARCHAR FROM t ORDER BY id');
      const number = (text: unknown): number | null => (text === null ? null : Number(String(text).replace('inf', 'Infinity')));
      expect(read.map(([text]) => number(text))).toEqual(expected.map(({ v }) => v));
      expect(policyCounts['V: unbounded_numeric'] ?? 0).toBe(expected.filter(({ changed }) => changed).length);
    }),
    { numRuns: 20, endOnFailure: true },
  );
}, 60_000);
