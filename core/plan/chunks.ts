import type { Chunk } from './plan.js';

/** How a table is read in several ranges of one integer column. */
export interface Ranges {
  column: string;
  /** Least and greatest value at planning time. */
  min: bigint;
  max: bigint;
}

/** One Lambda reads this much well within its 15 minutes. */
export const defaultChunkBytes = 2_000_000_000;
export const maxChunks = 1000;

export const wholeTable: Chunk[] = [{ number: 0, column: null, from: null, to: null }];

/** How many chunks a read of `bytes` wants. */
export function wantedChunks(bytes: number, chunkBytes: number): number {
  return Math.min(maxChunks, Math.max(1, Math.ceil(bytes / chunkBytes)));
}

/**
 * `count` ranges of equal width, fewer when there are fewer values. The first and the last are open, so that rows that
 * appear below or above after planning are read too.
 */
export function splitRanges({ column, min, max }: Ranges, count: number): Chunk[] {
  const values = max - min + 1n;
  const wanted = values < BigInt(count) ? values : BigInt(count);
  if (wanted < 2n) return wholeTable;
  const bound = (index: bigint): string => String(min + (values * index) / wanted);
  return Array.from({ length: Number(wanted) }, (_, number) => ({
    number,
    column,
    from: number === 0 ? null : bound(BigInt(number)),
    to: BigInt(number) === wanted - 1n ? null : bound(BigInt(number + 1)),
  }));
}
