import type { Order, Storage } from './physical.js';

/** Statistics of one column chunk. Bounds are PLAIN values without a length; absent where nothing can be said. */
export interface Statistics {
  nulls: number;
  min?: Uint8Array;
  max?: Uint8Array;
  /** False: a bound was cut short. */
  minExact: boolean;
  maxExact: boolean;
}

/** Longer bounds are cut: the footer holds them for each row group. */
const maxBound = 64;

/** Values as they lie in a vector or in a dictionary page. */
export interface Values {
  storage: Storage;
  count: number;
  bytes: Uint8Array;
  view: DataView;
}

export function statisticsOf(values: Values, order: Order, nulls: number): Statistics {
  const nothing = { nulls, minExact: true, maxExact: true };
  if (values.count === 0 || order === 'none') return nothing;
  if (order === 'bytes') return { ...nothing, ...bytesBounds(values) };
  const found = order === 'float' || order === 'double' ? floatBounds(values, order) : integerBounds(values, order);
  return found === null ? nothing : { ...nothing, min: found[0], max: found[1] };
}

function integerBounds(values: Values, order: 'boolean' | 'int32' | 'int64' | 'int128'): [Uint8Array, Uint8Array] {
  const { view, count, bytes } = values;
  let min = 0;
  let max = 0;
  if (order === 'boolean') {
    for (let i = 1; i < count; i++) {
      if (bytes[i]! < bytes[min]!) min = i;
      if (bytes[i]! > bytes[max]!) max = i;
    }
    return [bytes.slice(min, min + 1), bytes.slice(max, max + 1)];
  }
  if (order === 'int32') {
    let low = view.getInt32(0, true);
    let high = low;
    for (let i = 1; i < count; i++) {
      const value = view.getInt32(4 * i, true);
      if (value < low) {
        low = value;
        min = i;
      } else if (value > high) {
        high = value;
        max = i;
      }
    }
    return [bytes.slice(4 * min, 4 * min + 4), bytes.slice(4 * max, 4 * max + 4)];
  }
  const less = order === 'int64' ? less64 : less128;
  const width = order === 'int64' ? 8 : 16;
  for (let i = 1; i < count; i++) {
    if (less(view, width * i, width * min)) min = i;
    else if (less(view, width * max, width * i)) max = i;
  }
  return [bytes.slice(width * min, width * (min + 1)), bytes.slice(width * max, width * (max + 1))];
}

function less64(view: DataView, a: number, b: number): boolean {
  const x = view.getInt32(a + 4, true);
  const y = view.getInt32(b + 4, true);
  return x !== y ? x < y : view.getUint32(a, true) < view.getUint32(b, true);
}

function less128(view: DataView, a: number, b: number): boolean {
  const x = view.getInt32(a);
  const y = view.getInt32(b);
  if (x !== y) return x < y;
  for (let k = 4; k < 16; k += 4) {
    const p = view.getUint32(a + k);
    const q = view.getUint32(b + k);
    if (p !== q) return p < q;
  }
  return false;
}

/** One NaN, and the bounds say nothing; a zero bound is written with the sign that includes both zeros (parquet.thrift, ColumnOrder). */
function floatBounds({ view, count }: Values, order: 'float' | 'double'): [Uint8Array, Uint8Array] | null {
  const width = order === 'float' ? 4 : 8;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const value = order === 'float' ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
    if (Number.isNaN(value)) return null;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const encode = (value: number): Uint8Array => {
    const out = new DataView(new ArrayBuffer(width));
    if (order === 'float') out.setFloat32(0, value, true);
    else out.setFloat64(0, value, true);
    return new Uint8Array(out.buffer);
  };
  return [encode(min === 0 ? -0 : min), encode(max === 0 ? 0 : max)];
}

function bytesBounds({ bytes, view, count }: Values): Partial<Statistics> {
  let min = 4;
  let minLength = view.getInt32(0, true);
  let max = min;
  let maxLength = minLength;
  let at = min + minLength;
  for (let i = 1; i < count; i++) {
    const length = view.getInt32(at, true);
    const start = at + 4;
    if (lessBytes(bytes, start, length, min, minLength)) {
      min = start;
      minLength = length;
    } else if (lessBytes(bytes, max, maxLength, start, length)) {
      max = start;
      maxLength = length;
    }
    at = start + length;
  }
  const lower = bytes.slice(min, min + Math.min(minLength, maxBound));
  const upper = maxLength <= maxBound ? bytes.slice(max, max + maxLength) : cutUpper(bytes.subarray(max, max + maxBound));
  return {
    min: minLength <= maxBound ? lower : lower.subarray(0, characterStart(lower, lower.length)),
    max: upper,
    minExact: minLength <= maxBound,
    maxExact: maxLength <= maxBound,
  };
}

function lessBytes(bytes: Uint8Array, a: number, aLength: number, b: number, bLength: number): boolean {
  const length = Math.min(aLength, bLength);
  for (let i = 0; i < length; i++) {
    const x = bytes[a + i]!;
    const y = bytes[b + i]!;
    if (x !== y) return x < y;
  }
  return aLength < bLength;
}

/** The start of the last character before `end` that may be cut in two. */
function characterStart(bytes: Uint8Array, end: number): number {
  let at = end - 1;
  while (at > 0 && (bytes[at]! & 0xc0) === 0x80) at--;
  return Math.max(at, 0);
}

/** The shortest text above all that begin with `prefix`: its last ASCII character raised by one. None: no upper bound is known. */
function cutUpper(prefix: Uint8Array): Uint8Array | undefined {
  for (let at = prefix.length - 1; at >= 0; at--) {
    if (prefix[at]! < 0x7f) {
      const bound = prefix.slice(0, at + 1);
      bound[at] = bound[at]! + 1;
      return bound;
    }
  }
  return undefined;
}
