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
  const bound = (index: bigint): bigint => min + (values * index) / wanted;
  return Array.from({ length: Number(wanted) }, (_, number) => {
    const [from, to] = [bound(BigInt(number)), bound(BigInt(number + 1))];
    return {
      number,
      column,
      from: number === 0 ? null : String(from),
      to: BigInt(number) === wanted - 1n ? null : String(to),
      ...some(stepsBetween(from, to)),
    };
  });
}

/** A chunk is read in so many pieces, one after another. */
export const piecesOfChunk = 8;

const stepsBetween = (from: bigint, to: bigint): string[] => {
  const bound = (index: number): bigint => from + ((to - from) * BigInt(index)) / BigInt(piecesOfChunk);
  const steps = Array.from({ length: piecesOfChunk - 1 }, (_, index) => bound(index + 1));
  return [...new Set(steps)].filter((step) => step > from && step < to).map(String);
};

/** The chunk in the pieces between its steps. */
export function piecesOf({ steps = [], key, ...range }: Chunk): Chunk[] {
  if (key) {
    const { steps: keys = [], ...columns } = key;
    const bounds = [key.from, ...keys, key.to];
    return bounds.slice(1).map((to, index) => ({ ...range, key: { ...columns, from: bounds[index]!, to } }));
  }
  const bounds = [range.from, ...steps, range.to];
  return bounds.slice(1).map((to, index) => ({ ...range, from: bounds[index]!, to }));
}

/** What is left of a chunk when so many of its pieces, and not all, have been read. */
export function restAfter({ steps = [], key, ...range }: Chunk, pieces: number): Chunk {
  if (key) {
    const { steps: keys = [], ...columns } = key;
    return { ...range, key: { ...columns, from: keys[pieces - 1]!, ...some(keys.slice(pieces)) } };
  }
  return { ...range, from: steps[pieces - 1]!, ...some(steps.slice(pieces)) };
}

const some = <T>(steps: T[]): { steps?: T[] } => (steps.length > 0 ? { steps } : {});
