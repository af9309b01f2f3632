import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { ParquetType } from '../../../core/column.js';
import { type FileFormat, ParquetFile } from '../../../core/parquet/file.js';
import { FileSeries } from '../../../core/parquet/file-series.js';
import { Batch, growVector } from '../../../core/parquet/vector.js';
import { openLocalFile } from '../../../core/source/sink.js';
import { duckdb, pyarrow } from '../source/extracting.js';

const folder = mkdtempSync(path.join(tmpdir(), 'firn-parquet-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

type Value = string | bigint | number | null;

/** Writes one file with a row group per list of rows. */
async function write(types: ParquetType[], groups: Value[][][], more: Partial<FileFormat> = {}): Promise<string> {
  const target = path.join(folder, String(files++));
  const format = {
    columns: types.map((type, i) => ({ name: `C${i}`, type })),
    constants: {},
    codec: 'zstd' as const,
    metadata: {},
    ...more,
  };
  const file = new ParquetFile(await openLocalFile(target, 'a.parquet'), format);
  for (const rows of groups) {
    const batch = new Batch(types, 32 << 20);
    for (const row of rows) addRow(batch, row);
    await file.writeRowGroup(batch);
    // What the caller does next may not reach the file.
    for (const vector of batch.vectors) vector.bytes.fill(0xff);
  }
  await file.close();
  return target;
}

function addRow(batch: Batch, row: Value[]): void {
  for (const [i, value] of row.entries()) {
    const vector = batch.vectors[i]!;
    if (value === null) {
      vector.levels[batch.rows] = 0;
      vector.nulls++;
      continue;
    }
    const at = vector.count++;
    if (typeof value === 'string') {
      const bytes = Buffer.from(value);
      if (vector.length + bytes.length + 4 > vector.bytes.length) growVector(vector, vector.length + bytes.length + 4);
      vector.view.setInt32(vector.length, bytes.length, true);
      vector.bytes.set(bytes, vector.length + 4);
      vector.length += bytes.length + 4;
    } else if (typeof value === 'number') vector.view.setFloat64(8 * at, value, true);
    else if (vector.storage === 'w8') vector.view.setBigInt64(8 * at, value, true);
    else if (vector.storage === 'w4') vector.view.setInt32(4 * at, Number(value), true);
    else vector.bytes[at] = Number(value);
  }
  batch.rows++;
}

const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });

describe('what is written is read back by pyarrow', () => {
  const cell: Record<string, { type: ParquetType; value: fc.Arbitrary<Value>; json(value: Value): unknown }> = {
    unique: { type: { kind: 'int64' }, value: int64, json: String },
    repeated: { type: { kind: 'int64' }, value: fc.constantFrom(1n, -5n, 1n << 62n), json: String },
    small: { type: { kind: 'int32' }, value: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(BigInt), json: String },
    flags: { type: { kind: 'boolean' }, value: fc.constantFrom(0n, 1n), json: (value) => (value === 1n ? 'True' : 'False') },
    texts: { type: { kind: 'string' }, value: fc.string({ unit: 'grapheme', maxLength: 40 }), json: String },
    words: { type: { kind: 'string' }, value: fc.constantFrom('', 'a', 'new', 'paid', 'ünï', '🦊🦊'), json: String },
  };

  it.each(Object.entries(cell))('%s', async (_, { type, value, json }) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.option(value), { minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 3 }),
        async (groups) => {
          const target = await write(
            [type],
            groups.map((values) => values.map((one) => [one])),
          );
          expect(pyarrow(target, '[None if x is None else str(x) for x in t["C0"].to_pylist()]')).toEqual(
            groups.flat().map((one) => (one === null ? null : json(one))),
          );
        },
      ),
      { numRuns: 4 },
    );
  });
});

it('a column is split into pages, with and without NULLs, and both readers find every value', async () => {
  const rows = Array.from({ length: 200_000 }, (_, i): Value[] => [
    BigInt(i) * 7_919n,
    i % 3 === 0 ? null : BigInt(i) * 104_729n,
    i % 2 === 0 ? null : `value ${i * 31}`,
    `${i}`.repeat(5),
    BigInt(i % 2),
  ]);
  const types: ParquetType[] = [{ kind: 'int64' }, { kind: 'int64' }, { kind: 'string' }, { kind: 'string' }, { kind: 'boolean' }];
  const target = await write(types, [rows]);
  const sql = `SELECT count(*) FILTER (c0 = i * 7919), count(*) FILTER (c1 = i * 104729), count(*) FILTER (c2 = 'value ' || (i * 31)),
    count(*) FILTER (c3 = repeat(i::text, 5)), count(*) FILTER (c4) FROM (SELECT c0 // 7919 AS i, * FROM t)`;
  expect(await duckdb(target, sql)).toEqual([['200000', '133333', '100000', '200000', '100000']]);
  const sums = pyarrow(target, '[sum(x for x in t["C1"].to_pylist() if x is not None), sum(len(x) for x in t["C3"].to_pylist())]');
  const expected = rows.reduce<[number, number]>(
    ([sum, length], row) => [sum + Number(row[1] ?? 0n), length + (row[3] as string).length],
    [0, 0],
  );
  expect(sums).toEqual(expected);
});

describe('statistics of doubles', () => {
  it.each<[string, number[], unknown]>([
    ['are left out when there is a NaN', [1, Number.NaN, 2], [false, null, null]],
    ['include both zeros', [0, -0], [true, -0, 0]],
    ['hold infinities', [Number.NEGATIVE_INFINITY, 5, Number.POSITIVE_INFINITY], [true, '-inf', 'inf']],
  ])('%s', async (_, values, expected) => {
    const target = await write([{ kind: 'double' }], [values.map((value) => [value])]);
    const expression =
      '(lambda s: [s.has_min_max] + [x if x is None or abs(x) != float("inf") else str(x) for x in (s.min, s.max)] if s.has_min_max else [False, None, None])(files[0].metadata.row_group(0).column(0).statistics)';
    expect(pyarrow(target, expression)).toEqual(expected);
  });
});

it('the footer names types as Snowflake and Arrow read them', async () => {
  const types: ParquetType[] = [
    { kind: 'timestamp', utc: true },
    { kind: 'timestamp', utc: false },
    { kind: 'time' },
    { kind: 'date' },
    { kind: 'decimal', precision: 9, scale: 2 },
    { kind: 'decimal', precision: 18, scale: 2 },
    { kind: 'decimal', precision: 38, scale: 37 },
    { kind: 'json' },
    { kind: 'string' },
    { kind: 'binary' },
    { kind: 'float' },
  ];
  const target = await write(types, [[types.map(() => null)]], { metadata: { 'firn.run': 'ü' } });
  expect(
    pyarrow(
      target,
      '[str(files[0].schema.column(i).physical_type) + " " + str(files[0].schema.column(i).logical_type) for i in range(len(files[0].schema))]',
    ),
  ).toEqual([
    'INT64 Timestamp(isAdjustedToUTC=true, timeUnit=microseconds, is_from_converted_type=false, force_set_converted_type=false)',
    'INT64 Timestamp(isAdjustedToUTC=false, timeUnit=microseconds, is_from_converted_type=false, force_set_converted_type=false)',
    'INT64 Time(isAdjustedToUTC=false, timeUnit=microseconds)',
    'INT32 Date',
    'INT32 Decimal(precision=9, scale=2)',
    'INT64 Decimal(precision=18, scale=2)',
    'FIXED_LEN_BYTE_ARRAY Decimal(precision=38, scale=37)',
    'BYTE_ARRAY String',
    'BYTE_ARRAY String',
    'BYTE_ARRAY None',
    'FLOAT None',
  ]);
  const bytes = readFileSync(path.join(target, 'a.parquet'));
  expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
  expect(pyarrow(target, "files[0].metadata.metadata[b'firn.run'].decode()")).toBe('ü');
});

it('a table of a thousand columns goes into another file before what is to be said of its column chunks fills the memory', async () => {
  const target = path.join(folder, String(files++));
  const types = Array.from({ length: 1000 }, (): ParquetType => ({ kind: 'int32' }));
  const columns = types.map((type, i) => ({ name: `C${i}`, type }));
  const series = new FileSeries(
    { columns, constants: {}, codec: 'none', metadata: {} },
    1 << 30,
    (part) => openLocalFile(target, `${part}.parquet`),
    () => new Batch(types, 1 << 20),
  );
  let batch = series.createBatch();
  for (let group = 0; group < 60; group++) {
    addRow(
      batch,
      types.map(() => BigInt(group)),
    );
    batch = await series.push(batch);
  }
  const written = await series.close(batch);
  expect(written.map(({ rows }) => rows)).toEqual([50, 10]);
  expect(await duckdb(target, 'SELECT count(*), sum(c999) FROM t')).toEqual([['60', String((60 * 59) / 2)]]);
});

it('a repeated value costs a dictionary and no more', async () => {
  const rows = Array.from({ length: 100_000 }, (_, i): Value[] => [`a rather long status number ${i % 4}`]);
  const target = await write([{ kind: 'string' }], [rows], { codec: 'none' });
  expect(Number(execFileSync('stat', ['-c', '%s', path.join(target, 'a.parquet')]))).toBeLessThan(100_000 / 4 + 1000);
});

it('a column that does not compress is written as it is, beside others that do', async () => {
  let state = 1n;
  const random = (): bigint => {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    return BigInt.asIntN(64, state ^ (state >> 31n));
  };
  const rows = (): Value[][] => Array.from({ length: 5_000 }, (_, i) => [random(), BigInt(i)]);
  const groups = [rows(), rows(), rows()];
  const target = await write([{ kind: 'int64' }, { kind: 'int64' }], groups);
  expect(pyarrow(target, '[[files[0].metadata.row_group(g).column(c).compression for c in (0, 1)] for g in range(3)]')).toEqual(
    Array(3).fill(['UNCOMPRESSED', 'ZSTD']),
  );
  expect(pyarrow(target, '[str(x) for x in t["C0"].to_pylist()]')).toEqual(groups.flat().map(([value]) => String(value)));
});
