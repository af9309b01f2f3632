import type { Socket } from 'node:net';
import fc, { type Arbitrary } from 'fast-check';
import type { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../../core/source/postgres/connection.js';
import { CopiedRows } from '../../../core/source/postgres/copied-rows.js';
import { CopyReader } from '../../../core/source/postgres/copy.js';
import { type DecodedColumn, TableDecoder } from '../../../core/source/postgres/decoder.js';
import { defaultPolicies, mapType } from '../../../core/source/postgres/types.js';
import { extractTable, removeFolders, secretFor } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

/** Text that is made from the binary form, compared with what the server prints. */
let server: RunningPostgres;
let client: Client;

beforeAll(async () => {
  server = await startPostgres();
  client = await connect(secretFor(server.port));
}, 60_000);
afterAll(async () => {
  removeFolders();
  await client?.end();
  await server?.stop();
});

const columnOf = (name: string): DecodedColumn => {
  const { decoder, parquet } = mapType({ schema: 'pg_catalog', name, kind: 'b', typmod: -1, array: name.startsWith('_') }, defaultPolicies);
  return { decoder, type: parquet };
};

/** Rows of the query, whose columns have these types, as texts; read in groups of `limit` bytes. */
async function readTexts(query: string, types: string[], limit: number): Promise<{ rows: (string | null)[][]; memory: number }> {
  const decoder = new TableDecoder(types.map(columnOf), () => 'null');
  const { kernels } = decoder;
  const rows: (string | null)[][] = [];
  const take = (group: CopiedRows): void => {
    const columns = group.columns.map(({ values, levels, count, numbered, dictionary }) => {
      if (numbered) kernels.run.leaveTexts(dictionary, values, count);
      let value = 0;
      return Array.from({ length: group.rows }, (_, row) => {
        if (((kernels.bytes[levels + (row >> 3)]! >> (row & 7)) & 1) === 0) return null;
        const field = kernels.view.getUint32(values + 4 * value++, true);
        return Buffer.from(kernels.bytes.subarray(field + 4, field + 4 + kernels.view.getUint32(field))).toString();
      });
    });
    for (let row = 0; row < group.rows; row++) rows.push(columns.map((column) => column[row]!));
  };
  let group = new CopiedRows(kernels, decoder, limit, 'public.t');
  let spare = new CopiedRows(kernels, decoder, limit, 'public.t');
  const own = await connect(secretFor(server.port));
  const reader = new CopyReader(own, `COPY (${query}) TO STDOUT (FORMAT binary)`);
  try {
    while (await reader.read(group)) {
      while (group.full) {
        take(group);
        spare.takeRest(group);
        group.clear();
        [group, spare] = [spare, group];
        group.scan();
      }
    }
  } finally {
    // It may be in the midst of a COPY.
    (own as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  }
  take(group);
  return { rows, memory: kernels.bytes.length };
}

const numerics: Arbitrary<string> = fc.oneof(
  fc.tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.integer({ min: -60, max: 60 })).map(([n, e]) => `${n}e${e}`),
  fc.tuple(fc.integer(), fc.string({ unit: fc.constantFrom('0', '0', '5'), maxLength: 20 })).map(([n, fraction]) => `${n}.${fraction}`),
  fc.constantFrom('0', '-0.000', 'NaN', 'Infinity', '-Infinity', '9999', '10000', '-0.0001', '1e131071', '-1e-16383', '9999.9999'),
);
const integers = (bits: bigint): Arbitrary<string> =>
  fc.oneof(fc.bigInt({ min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n }), fc.bigInt({ min: -10_001n, max: 10_001n })).map(String);
/** Without U+0000, which PostgreSQL refuses. */
const texts = (maxLength: number): Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength }).map((text) => text.replaceAll('\0', '')),
    fc.string({ unit: fc.constantFrom(...'"\\/\b\f\n\r\t\u0001\u001f\u007f {},é🦊aNULL'), maxLength }),
  );

const element = (value: string | null): string => (value === null ? 'NULL' : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);

/** The literal of an array of any shape and lower bounds. */
function arraysOf(values: Arbitrary<string>): Arbitrary<string> {
  const shapes = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 40 }).map((length) => [length]) },
    { weight: 2, arbitrary: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 6 }) },
    { weight: 1, arbitrary: fc.constant([0]) },
  );
  return shapes.chain((shape) => {
    const count = shape.reduce((product, length) => product * length, 1);
    const elements = fc.array(fc.option(values, { freq: 8 }), { minLength: count, maxLength: count });
    return fc.tuple(elements, fc.integer({ min: -3, max: 9 })).map(([all, lower]) => {
      if (count === 0) return '{}';
      let level = all.map(element);
      for (const length of shape.toReversed()) {
        level = Array.from({ length: level.length / length }, (_, i) => `{${level.slice(i * length, (i + 1) * length).join(',')}}`);
      }
      return `${shape.map((length) => `[${lower}:${lower + length - 1}]`).join('')}=${level[0]}`;
    });
  });
}

const uuids = fc.uuid();
const columns: { type: string; name: string; value: Arbitrary<string> }[] = [
  { type: 'numeric', name: 'numeric', value: numerics },
  { type: 'uuid', name: 'uuid', value: uuids },
  { type: 'bool[]', name: '_bool', value: arraysOf(fc.boolean().map(String)) },
  { type: 'int2[]', name: '_int2', value: arraysOf(integers(16n)) },
  { type: 'int4[]', name: '_int4', value: arraysOf(integers(32n)) },
  { type: 'int8[]', name: '_int8', value: arraysOf(integers(64n)) },
  { type: 'uuid[]', name: '_uuid', value: arraysOf(uuids) },
  { type: 'numeric[]', name: '_numeric', value: arraysOf(numerics) },
  { type: 'numeric(9,3)[]', name: '_numeric', value: arraysOf(fc.integer({ min: -999_999, max: 999_999 }).map(String)) },
  { type: 'text[]', name: '_text', value: arraysOf(texts(60)) },
  { type: 'varchar(9)[]', name: '_varchar', value: arraysOf(texts(4)) },
  { type: 'char(9)[]', name: '_bpchar', value: arraysOf(texts(4)) },
  { type: 'name[]', name: '_name', value: arraysOf(texts(10)) },
];

it('any numeric, uuid or array becomes the text that PostgreSQL prints, in groups of any size', async () => {
  await client.query(`CREATE TABLE made (id int PRIMARY KEY, ${columns.map(({ type }, i) => `c${i} ${type}`).join(', ')})`);
  const row = fc.tuple(...columns.map(({ value }) => fc.option(value, { freq: 8 })));
  const printed = columns.map(({ type }, i) => (type.endsWith('[]') ? `to_json(c${i})::text` : `c${i}::text`));
  const types = columns.map(({ name }) => name);
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), fc.constantFrom(64, 3_000, 100_000, 1 << 20), async (rows, limit) => {
      const places = rows.map(
        (values, r) => `(${r}, ${values.map((_, i) => `$${r * values.length + i + 1}::${columns[i]!.type}`).join(', ')})`,
      );
      await client.query('TRUNCATE made');
      await client.query(`INSERT INTO made VALUES ${places.join(', ')}`, rows.flat());
      const expected = await client.query<(string | null)[]>({
        text: `SELECT ${printed.join(', ')} FROM made ORDER BY id`,
        rowMode: 'array',
      });
      const read = await readTexts(`SELECT ${columns.map((_, i) => `c${i}`).join(', ')} FROM made ORDER BY id`, types, limit);
      expect(read.rows).toEqual(expected.rows);
    }),
    { numRuns: 25, endOnFailure: true },
  );
});

it('holds no more text than a group may, whatever a value grows to', async () => {
  const query = `SELECT CASE WHEN i % 7 <> 0 THEN n END, CASE WHEN i % 5 <> 0 THEN -n END, CASE WHEN i % 3 <> 0 THEN array[n, NULL] END,
    i::text FROM generate_series(1, 400) i, (SELECT '1e131071'::numeric n) n`;
  const { rows, memory } = await readTexts(query, ['numeric', 'numeric', '_numeric', 'text'], 1 << 20);
  const one = `1${'0'.repeat(131_071)}`;
  const wrong = rows.filter(([a, b, c], row) => {
    const i = row + 1;
    return a !== (i % 7 ? one : null) || b !== (i % 5 ? `-${one}` : null) || c !== (i % 3 ? `[${one},null]` : null);
  });
  expect(wrong).toEqual([]);
  expect(rows.map(([, , , text]) => text)).toEqual(Array.from({ length: 400 }, (_, i) => String(i + 1)));
  // Of 120 MiB in all.
  expect(memory).toBeLessThan(48 << 20);
});

it('an array may be larger than a group and than a block of text', async () => {
  const query = `SELECT array[repeat(E'a\\x01"', i * 20000), NULL, 'x'] FROM generate_series(1, 40) i`;
  const { rows, memory } = await readTexts(query, ['_text'], 1 << 20);
  expect(rows.map(([text]) => text)).toEqual(
    Array.from({ length: 40 }, (_, i) => `["${'a\\u0001\\"'.repeat((i + 1) * 20_000)}",null,"x"]`),
  );
  // What a large text needed is given back.
  expect(memory).toBeLessThan(128 << 20);
});

it('names the row of a refused value by a key of unbounded numerics and arrays', async () => {
  await client.query(`CREATE TABLE made_key (n numeric, a text[], d date, PRIMARY KEY (n, a));
    INSERT INTO made_key VALUES (-1.50, array[E'x"\\n', NULL], 'infinity')`);
  await expect(extractTable(client, { table: 'made_key' })).rejects.toMatchObject({
    code: 'ValueOutOfRange',
    message: expect.stringContaining('row n=-1.50, a=["x\\"\\n",null]: column d (date) holds infinity'),
  });
});
