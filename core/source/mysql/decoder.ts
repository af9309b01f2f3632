import { FirnError } from '../../errors.js';
import { type Batch, growVector, type Vector } from '../../parquet/vector.js';
import { nearestDouble } from '../nearest-double.js';
import { daysFromCivil, nearestDate } from './calendar.js';
import { limbs, readDecimal } from './decimal.js';
import { body, epilogue, prologue, type WireColumn } from './decoder-source.js';
import { writeDuration } from './duration.js';
import { months } from './limits.js';
import type { Decoder } from './types.js';
import { columnType, typeName } from './wire.js';

/**
 * Answers what to do with a value that its column's type cannot hold, or throws. `payload` is where the row begins behind its header.
 * @throws FirnError ValueOutOfRange
 */
export type Unrepresentable = (column: number, bytes: Uint8Array, view: DataView, payload: number) => 'null' | 'clamp';

/**
 * Decodes the rows of `bytes[position, end)`, each behind its packet header, into the batch until it is full or no whole row is left;
 * answers where it stopped. `size`: of the one row at `position`, when its packet was too large for a header; else 0.
 * `bytes` must be readable for `slackBytes` behind `end`.
 */
export type Decode = (bytes: Uint8Array, view: DataView, position: number, end: number, batch: Batch, size: number) => number;

export const packetHeader = 4;
/** Payload of a packet that the next one continues. */
export const fullPacket = 0xffffff;

/** Beyond this many columns V8 would not optimise one function of all of them, so each group of columns gets its own. */
const groupSize = 32;

/** Not a day that months can hold. */
const noDay = 0x7fffffff;

function support(unrepresentable: Unrepresentable) {
  return {
    grow(vector: Vector, length: number, need: number): void {
      vector.length = length;
      growVector(vector, need);
    },
    months,
    limbs,
    readDecimal,
    duration: writeDuration,
    none: noDay,
    /** True: clamp; false: NULL. */
    clamp: (column: number, bytes: Uint8Array, view: DataView, row: number): boolean =>
      unrepresentable(column, bytes, view, row + packetHeader) === 'clamp',
    /** No policy holds for the value. */
    refuse(column: number, bytes: Uint8Array, view: DataView, row: number): never {
      unrepresentable(column, bytes, view, row + packetHeader);
      throw new FirnError('Internal', `Column ${column + 1}: a value without a policy was let pass.`);
    },
    /** Days from 1970 of the real date that is nearest, or `none` for NULL. */
    nearest(column: number, bytes: Uint8Array, view: DataView, row: number, at: number, length: number): number {
      if (unrepresentable(column, bytes, view, row + packetHeader) === 'null') return noDay;
      return daysFromCivil(...nearestDate(length >= 4 ? view.getUint16(at, true) : 0, bytes[at + 2]!, bytes[at + 3]!));
    },
    /** Of the decimal number whose text lies at `at`. */
    nearestDouble(column: number, bytes: Uint8Array, view: DataView, row: number, at: number, length: number): number {
      const { value, tells } = nearestDouble(Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1'));
      if (!tells) unrepresentable(column, bytes, view, row + packetHeader);
      return value;
    },
    framing(): never {
      throw new FirnError('Internal', 'The server sent a row that is longer or shorter than its columns.');
    },
  };
}

const { tiny, short, year, int24, long, longlong } = columnType;
const int32 = [tiny, short, year, int24, long];

/** The types in which the server may send what a decoder reads. Undefined: anything that has its length before it. */
function expected(decoder: Decoder): readonly number[] | undefined {
  switch (decoder.kind) {
    case 'integer':
      return { w4: int32, w8: [...int32, longlong], w16: [longlong] }[decoder.to];
    case 'boolean':
      return [tiny];
    case 'float':
      return [columnType.float];
    case 'double':
      return [columnType.double];
    case 'date':
      return [columnType.date];
    case 'datetime':
      return [columnType.datetime, columnType.timestamp];
    case 'time':
    case 'duration':
      return [columnType.time];
    case 'decimal':
    case 'decimalDouble':
      return [columnType.newDecimal];
    default:
      return undefined;
  }
}

/** Whether the server sends the column in a form that the decoder reads. */
export function canDecode({ type, decoder }: WireColumn): boolean {
  return expected(decoder)?.includes(type) ?? typeName(type) === 'string';
}

/**
 * A decoder made for the columns of one result set: no dispatch per value, no object per row.
 * Only numbers from the decoders' data get into the code, no names.
 */
export function generateDecoder(columns: readonly WireColumn[], unrepresentable: Unrepresentable): Decode {
  const grouped = columns.length > groupSize;
  const indices = columns.map((_, i) => i);
  const groups: number[][] = [];
  for (let i = 0; i < columns.length; i += groupSize) groups.push(indices.slice(i, i + groupSize));

  const all = (part: (i: number, column: WireColumn) => string, of: number[]): string => of.map((i) => part(i, columns[i]!)).join('\n');
  const temporaries = 'let l = 0, q = 0, x = 0, y = 0, z = 0;';
  const groupCode = groups.map(
    (of, g) => `function group${g}(W, T, r, m, p, n, V) { ${temporaries}
      ${all(prologue, of)}
      ${all(body, of)}
      ${all(epilogue, of)}
      return p; }`,
  );
  const source = `
    ${grouped ? groupCode.join('\n') : ''}
    return function decode(W, T, r, end, batch, size) {
      const V = batch.vectors, capacity = batch.capacity, limit = batch.byteLimit - batch.sourceBytes, first = r;
      let n = batch.rows, m = 0, p = 0; ${temporaries}
      ${grouped ? '' : all(prologue, indices)}
      while (n < capacity && r - first < limit && end - r > ${packetHeader}) {
        const bytes = size || (W[r] | (W[r + 1] << 8) | (W[r + 2] << 16)), next = r + ${packetHeader} + bytes;
        if (next > end || (bytes === ${fullPacket} && size === 0) || W[r + ${packetHeader}] !== 0) break;
        m = r + ${packetHeader + 1};
        p = m + ${(columns.length + 9) >> 3};
        ${grouped ? groups.map((_, g) => `p = group${g}(W, T, r, m, p, n, V);`).join('\n') : all(body, indices)}
        if (p !== next) S.framing();
        n++;
        r = next;
        if (size !== 0) break;
      }
      ${grouped ? '' : all(epilogue, indices)}
      batch.rows = n;
      batch.sourceBytes += r - first;
      return r;
    };`;
  return new Function('S', source)(support(unrepresentable)) as Decode;
}
