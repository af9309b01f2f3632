import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParquetType } from '../../../core/column.js';
import type { Kernels } from '../../../core/kernels/kernels.js';
import type { ColumnValues } from '../../../core/parquet/column-chunk.js';
import { CopiedRows } from '../../../core/source/postgres/copied-rows.js';
import { TableDecoder, type Unrepresentable } from '../../../core/source/postgres/decoder.js';
import { numericText } from '../../../core/source/postgres/decoder-numeric.js';
import type { Decoder } from '../../../core/source/postgres/types.js';

type Field = Buffer | null;

/** Rows as CopyData messages, as the server sends them. */
function frames(rows: Field[][]): Uint8Array {
  const messages = rows.map((fields) => {
    const parts = fields.map((field) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(field === null ? -1 : field.length);
      return field === null ? length : Buffer.concat([length, field]);
    });
    const head = Buffer.alloc(7);
    const body = Buffer.concat(parts);
    head[0] = 0x64;
    head.writeInt32BE(6 + body.length, 1);
    head.writeInt16BE(fields.length, 5);
    return Buffer.concat([head, body]);
  });
  return new Uint8Array(Buffer.concat(messages));
}

const refuse: Unrepresentable = () => {
  throw new Error('refused');
};

/** Values of one column, without NULLs. */
interface Column {
  count: number;
  nulls: number;
  /** 1 where the row has a value. */
  levels: number[];
  /** Of numbers: one after another. */
  view: DataView;
  texts: string[];
}

interface Decoded {
  rows: number;
  columns: Column[];
}

/** Decodes the rows, the bytes arriving in two pieces cut at `cut`. */
function decode(
  types: ParquetType[],
  decoders: Decoder[],
  rows: Field[][],
  cut = Number.POSITIVE_INFINITY,
  unrepresentable = refuse,
): Decoded {
  const decoder = new TableDecoder(
    types.map((type, i) => ({ type, decoder: decoders[i]! })),
    unrepresentable,
  );
  const bytes = frames(rows);
  const group = new CopiedRows(decoder.kernels, decoder, 1 << 20, 'public.t');
  for (const piece of [bytes.subarray(0, Math.min(cut, bytes.length)), bytes.subarray(Math.min(cut, bytes.length))]) {
    group.append(piece);
    group.scan();
  }
  expect(group.rest.length).toBe(0);
  return { rows: group.rows, columns: group.columns.map((column, i) => columnOf(decoder.kernels, column, group.rows, decoders[i]!)) };
}

function columnOf({ run, bytes, view }: Kernels, column: ColumnValues, rows: number, { kind }: Decoder): Column {
  const { values, levels, count } = column;
  const skip = kind === 'jsonb' ? 1 : 0;
  if (column.numbered) run.leaveTexts(column.dictionary, values, count);
  const isText = ['bytes', 'binary', 'jsonb', 'uuid'].includes(kind);
  const fields = isText ? Array.from({ length: count }, (_, i) => view.getUint32(values + 4 * i, true)) : [];
  return {
    count,
    nulls: rows - count,
    levels: Array.from({ length: rows }, (_, row) => (bytes[levels + (row >> 3)]! >> (row & 7)) & 1),
    view: new DataView(bytes.slice(values, values + 16 * count).buffer),
    texts: fields.map((field) => Buffer.from(bytes.slice(field + 4 + skip, field + 4 + view.getInt32(field))).toString()),
  };
}

/** numeric in binary form, as numeric_send makes it: no leading or trailing zero digits. */
function numericBytes(unscaled: bigint, scale: number): Buffer {
  const negative = unscaled < 0n;
  let text = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  let whole = text.slice(0, text.length - scale);
  let fraction = text.slice(text.length - scale);
  whole = whole.padStart(Math.ceil(whole.length / 4) * 4, '0');
  fraction = fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  text = whole + fraction;
  const digits = (text.match(/.{4}/g) ?? []).map(Number);
  let weight = whole.length / 4 - 1;
  while (digits.length > 0 && digits[0] === 0) {
    digits.shift();
    weight--;
  }
  while (digits.length > 0 && digits.at(-1) === 0) digits.pop();
  const out = Buffer.alloc(8 + 2 * digits.length);
  out.writeInt16BE(digits.length, 0);
  out.writeInt16BE(digits.length === 0 ? 0 : weight, 2);
  out.writeUInt16BE(negative && digits.length > 0 ? 0x4000 : 0, 4);
  out.writeInt16BE(scale, 6);
  for (const [i, digit] of digits.entries()) out.writeInt16BE(digit, 8 + 2 * i);
  return out;
}

function unscaled(vector: Column, i: number, precision: number): bigint {
  if (precision <= 9) return BigInt(vector.view.getInt32(4 * i, true));
  if (precision <= 18) return vector.view.getBigInt64(8 * i, true);
  return (vector.view.getBigInt64(16 * i) << 64n) | vector.view.getBigUint64(16 * i + 8);
}

const decimals = fc
  .record({ precision: fc.integer({ min: 1, max: 38 }), part: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ precision, part }) => ({ precision, scale: Math.min(37, Math.round(precision * part)) }));

describe('numeric', () => {
  it('is decoded exactly for every precision and scale', () => {
    fc.assert(
      fc.property(
        decimals.chain((type) => {
          const limit = 10n ** BigInt(type.precision) - 1n;
          const value = fc.oneof(
            fc.bigInt({ min: -limit, max: limit }),
            fc.constantFrom(0n, 1n, -1n, limit, -limit),
            fc.integer({ min: 0, max: type.precision - 1 }).map((e) => 10n ** BigInt(e)),
          );
          return fc.record({ type: fc.constant(type), values: fc.array(fc.option(value), { minLength: 1, maxLength: 20 }) });
        }),
        ({ type, values }) => {
          const rows = values.map((value) => [value === null ? null : numericBytes(value, type.scale)]);
          const { columns } = decode([{ kind: 'decimal', ...type }], [{ kind: 'numeric', ...type }], rows);
          const expected = values.filter((value) => value !== null);
          expect(expected.map((_, i) => unscaled(columns[0]!, i, type.precision))).toEqual(expected);
          expect(columns[0]!.levels).toEqual(values.map((value) => (value === null ? 0 : 1)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is refused exactly when it does not fit', () => {
    fc.assert(
      fc.property(
        decimals,
        fc.bigInt({ min: -(10n ** 42n), max: 10n ** 42n }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 40 }),
        (type, value, shift, scale) => {
          const sent = value / 10n ** BigInt(shift);
          const up = sent * 10n ** BigInt(Math.max(0, type.scale - scale));
          const divisor = 10n ** BigInt(Math.max(0, scale - type.scale));
          const fits =
            up % divisor === 0n && up / divisor < 10n ** BigInt(type.precision) && up / divisor > -(10n ** BigInt(type.precision));
          const run = (): Decoded => decode([{ kind: 'decimal', ...type }], [{ kind: 'numeric', ...type }], [[numericBytes(sent, scale)]]);
          if (fits) expect(unscaled(run().columns[0]!, 0, type.precision)).toBe(up / divisor);
          else expect(run).toThrow('refused');
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([1, 2, 3, 5, 6, 7])('is refused for one place more than a scale of %d', (scale) => {
    const run = (unscaled: bigint, places: number): Decoded =>
      decode([{ kind: 'decimal', precision: 10, scale }], [{ kind: 'numeric', precision: 10, scale }], [[numericBytes(unscaled, places)]]);
    expect(() => run(11n, scale + 1)).toThrow('refused');
    expect(unscaled(run(110n, scale + 1).columns[0]!, 0, 10)).toBe(11n);
  });

  it('is printed for messages as the source prints it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 45n), max: 10n ** 45n }), fc.integer({ min: 0, max: 30 }), (value, scale) => {
        const bytes = numericBytes(value, scale);
        const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
        const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
        expect(numericText(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0)).toBe(value < 0n ? `-${text}` : text);
      }),
    );
  });
});

const int64Bytes = (value: bigint): Buffer => {
  const out = Buffer.alloc(8);
  out.writeBigInt64BE(value);
  return out;
};

it('timestamps move from 2000 to 1970 exactly, over their whole range', () => {
  const first = -62_135_596_800_000_000n;
  const last = 253_402_300_799_999_999n;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.bigInt({ min: first, max: last }), fc.constantFrom(first, last, 0n, -1n, 946_684_800_000_000n)), {
        minLength: 1,
      }),
      (values) => {
        const rows = values.map((value) => [int64Bytes(value - 946_684_800_000_000n)]);
        const { columns } = decode([{ kind: 'timestamp', utc: true }], [{ kind: 'timestamp' }], rows);
        expect(values.map((_, i) => columns[0]!.view.getBigInt64(8 * i, true))).toEqual(values);
      },
    ),
  );
  for (const outside of [first - 1n, last + 1n]) {
    const run = (): Decoded =>
      decode([{ kind: 'timestamp', utc: true }], [{ kind: 'timestamp' }], [[int64Bytes(outside - 946_684_800_000_000n)]]);
    expect(run).toThrow('refused');
  }
});

it('integers of 64 bits keep every bit', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), { minLength: 1 }), (values) => {
      const { columns } = decode(
        [{ kind: 'int64' }],
        [{ kind: 'int8' }],
        values.map((value) => [int64Bytes(value)]),
      );
      expect(values.map((_, i) => columns[0]!.view.getBigInt64(8 * i, true))).toEqual(values);
    }),
  );
});

it('texts and NULLs of several columns arrive, wherever the bytes are cut', () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.constant('x'.repeat(3_000)));
  const row = fc.tuple(fc.option(text), fc.option(fc.boolean()), fc.option(text));
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), fc.nat(20_000), (rows, cut) => {
      const sent = rows.map(([a, b, c]): Field[] => [
        a === null ? null : Buffer.from(a),
        b === null ? null : Buffer.from([b ? 1 : 0]),
        c === null ? null : Buffer.from(`\u0001${c}`),
      ]);
      const decoded = decode(
        [{ kind: 'string' }, { kind: 'boolean' }, { kind: 'json' }],
        [{ kind: 'bytes' }, { kind: 'bool' }, { kind: 'jsonb' }],
        sent,
        cut,
      );
      expect(decoded.rows).toBe(rows.length);
      for (const [column, index] of [
        [0, 0],
        [2, 2],
      ] as const)
        expect(decoded.columns[column]!.texts).toEqual(rows.map((one) => one[index]).filter((value) => value !== null));
      expect(decoded.columns.map(({ nulls }) => nulls)).toEqual([0, 1, 2].map((i) => rows.filter((one) => one[i] === null).length));
    }),
    { numRuns: 50 },
  );
});

it('texts that repeat arrive, however many there are, whether a dictionary is kept, grows or is given up', () => {
  // Fields that begin or end alike are neighbours in the dictionary.
  const text = (number: number, length: number, first: boolean): string =>
    first ? `${number}`.padEnd(length, 'x') : `${number}`.padStart(length, 'x');
  const column = fc.record({ distinct: fc.constantFrom(1, 63, 65, 256, 257, 1025, 5000), length: fc.nat(24), first: fc.boolean() });
  fc.assert(
    fc.property(fc.array(column, { minLength: 1, maxLength: 3 }), fc.constantFrom(1, 60), fc.nat(100_000), (columns, times, cut) => {
      const all = Array.from({ length: times }, () => columns).flat();
      const rows = Array.from({ length: Math.floor(12_000 / all.length) }, (_, row) =>
        all.map(({ distinct, length, first }, i) => text((row * (2 * i + 7919)) % distinct, length, first)),
      );
      const decoded = decode(
        all.map(() => ({ kind: 'string' })),
        all.map(() => ({ kind: 'bytes' })),
        rows.map((row) => row.map((value) => Buffer.from(value))),
        cut,
      );
      for (const i of [...columns.keys(), all.length - 1]) {
        const isSame = decoded.columns[i]!.texts.every((value, row) => value === rows[row]![i]);
        expect([decoded.columns[i]!.count, isSame]).toEqual([rows.length, true]);
      }
    }),
    { numRuns: 60 },
  );
});

it('a field of another width than its type is refused, not misread', () => {
  expect(() => decode([{ kind: 'int32' }], [{ kind: 'int4' }], [[Buffer.alloc(8)]])).toThrow('column 1: 8 bytes are no int4');
});
