import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxChunks, splitRanges, wantedChunks, wholeTable } from '../../../core/plan/chunks.js';

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

  it('splits evenly', () => {
    expect(splitRanges({ column: 'id', min: 1n, max: 100n }, 4)).toEqual([
      { number: 0, column: 'id', from: null, to: '26' },
      { number: 1, column: 'id', from: '26', to: '51' },
      { number: 2, column: 'id', from: '51', to: '76' },
      { number: 3, column: 'id', from: '76', to: null },
    ]);
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
