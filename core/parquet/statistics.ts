import type { Kernels } from '../kernels/kernels.js';
import type { Order } from './physical.js';

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

const width = { boolean: 1, int32: 4, int64: 8, int128: 16, float: 4, double: 8 } as const;

/** Of `count` values of fixed width at `at` in the kernels' memory. */
export function statisticsOf(kernels: Kernels, order: Exclude<Order, 'bytes'>, at: number, count: number, nulls: number): Statistics {
  const nothing = { nulls, minExact: true, maxExact: true };
  if (count === 0 || order === 'none' || !findBounds(kernels, order, at, count)) return nothing;
  const [min, max] = (['least', 'greatest'] as const).map((name) => {
    const from = kernels.address(name);
    return kernels.bytes.slice(from, from + width[order]);
  });
  return { ...nothing, min, max };
}

/** False: they say nothing. */
function findBounds({ run }: Kernels, order: keyof typeof width, at: number, count: number): boolean {
  if (order === 'float') return run.boundsOfFloats(at, count) !== 0;
  if (order === 'double') return run.boundsOfDoubles(at, count) !== 0;
  const find = { boolean: run.bounds1, int32: run.bounds4, int64: run.bounds8, int128: run.bounds16 }[order];
  find(at, count);
  return true;
}

/** The bounds that the least and the greatest text make. */
export function textStatistics(least: Uint8Array, greatest: Uint8Array): Omit<Statistics, 'nulls'> {
  const minExact = least.length <= maxBound;
  const maxExact = greatest.length <= maxBound;
  const lower = least.slice(0, maxBound);
  return {
    min: minExact ? lower : lower.subarray(0, characterStart(lower, lower.length)),
    max: maxExact ? greatest.slice() : cutUpper(greatest.subarray(0, maxBound)),
    minExact,
    maxExact,
  };
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
