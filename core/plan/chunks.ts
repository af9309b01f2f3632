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
    const steps = stepsBetween(from, to);
    return {
      number,
      column,
      from: number === 0 ? null : String(from),
      to: BigInt(number) === wanted - 1n ? null : String(to),
      ...(steps.length > 0 && { steps }),
    };
  });
}

/** A chunk is read in so many pieces, one after another from one snapshot. */
const piecesOfChunk = 8n;

const stepsBetween = (from: bigint, to: bigint): string[] => {
  const steps = Array.from({ length: Number(piecesOfChunk) - 1 }, (_, index) => from + ((to - from) * BigInt(index + 1)) / piecesOfChunk);
  return [...new Set(steps)].filter((step) => step > from && step < to).map(String);
};

/** The chunk in the pieces between its steps, each with those that are left to be read after it. */
export function piecesOf(chunk: Chunk): Chunk[] {
  const { steps = [], ...range } = chunk;
  const bounds = [chunk.from, ...steps, chunk.to];
  return bounds.slice(1).map((to, index) => ({ ...range, from: bounds[index]!, to }));
}

/** What is left of a chunk from one of its steps on. */
export function restFrom(chunk: Chunk, step: string): Chunk {
  const steps = chunk.steps!.slice(chunk.steps!.indexOf(step) + 1);
  const { steps: _, ...range } = chunk;
  return { ...range, from: step, ...(steps.length > 0 && { steps }) };
}
