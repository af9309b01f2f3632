import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxChunks, piecesOf, restAfter, splitRanges, wantedChunks, wholeTable } from '../../../core/plan/chunks.js';
import type { Chunk } from '../../../core/plan/plan.js';

/** The same range as one of a key of one column. */
function asKey({ number, column, from, to, steps }: Chunk): Chunk {
  const [low, high] = [from === null ? null : [from], to === null ? null : [to]];
  return {
    number,
    column: null,
    from: null,
    to: null,
    key: { columns: [column!], from: low, to: high, steps: steps?.map((step) => [step]) },
  };
}

describe('chunks', () => {
  it('every value is in exactly one range, also below the least and above the greatest', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
        fc.bigInt(0n, 2n ** 63n),
        fc.integer({ min: 1, max: 50 }),
        fc.bigInt(),
        (min, width, count, value) => {
          const chunks = splitRanges({ column: 'id', min, max: min + width }, count);
          const holding = chunks.filter(({ from, to }) => (from === null || BigInt(from) <= value) && (to === null || value < BigInt(to)));
          expect(holding).toHaveLength(1);
          expect(chunks.map(({ number }) => number)).toEqual(chunks.map((_, index) => index));
        },
      ),
    );
  });

  it('splits evenly, and each range by its steps', () => {
    expect(splitRanges({ column: 'id', min: 1n, max: 100n }, 4)).toEqual([
      { number: 0, column: 'id', from: null, to: '26', steps: ['4', '7', '10', '13', '16', '19', '22'] },
      { number: 1, column: 'id', from: '26', to: '51', steps: ['29', '32', '35', '38', '41', '44', '47'] },
      { number: 2, column: 'id', from: '51', to: '76', steps: ['54', '57', '60', '63', '66', '69', '72'] },
      { number: 3, column: 'id', from: '76', to: null, steps: ['79', '82', '85', '88', '91', '94', '97'] },
    ]);
  });

  it('the pieces of a chunk, or of what is left of it after any of them, hold each of its values once', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
        fc.bigInt(0n, 1000n),
        fc.integer({ min: 2, max: 9 }),
        fc.integer({ min: 1, max: 7 }),
        fc.bigInt(-10n, 1010n),
        fc.boolean(),
        (min, width, count, read, distance, isKey) => {
          const value = min + distance;
          const isIn = (from: string | null, to: string | null) =>
            (from === null || BigInt(from) <= value) && (to === null || value < BigInt(to));
          const holds = ({ from, to, key }: Chunk) => (key ? isIn(key.from?.[0] ?? null, key.to?.[0] ?? null) : isIn(from, to));
          for (const range of splitRanges({ column: 'id', min, max: min + width }, count)) {
            const chunk = isKey ? asKey(range) : range;
            const pieces = piecesOf(chunk);
            const left = read < pieces.length ? piecesOf(restAfter(chunk, read)) : [];
            expect([...pieces.slice(0, read), ...left].filter(holds)).toHaveLength(holds(chunk) ? 1 : 0);
          }
        },
      ),
    );
  });

  it.each([
    { name: 'a single value', min: 7n, max: 7n, count: 10, chunks: 1 },
    { name: 'fewer values than chunks', min: 1n, max: 3n, count: 10, chunks: 3 },
    { name: 'one chunk', min: 1n, max: 1000n, count: 1, chunks: 1 },
  ])('$name: $chunks', ({ min, max, count, chunks }) => {
    const split = splitRanges({ column: 'id', min, max }, count);
    expect(split).toHaveLength(chunks);
    if (chunks === 1) expect(split).toEqual(wholeTable);
  });

  it.each([
    [0, 1],
    [100, 1],
    [101, 2],
    [1e9, maxChunks],
  ])('%d bytes by 100: %d chunks', (bytes, chunks) => expect(wantedChunks(bytes, 100)).toBe(chunks));
});
