import fc from 'fast-check';
import { expect, it } from 'vitest';
import { blockConditions } from '../../../core/source/postgres/extract-ranges.js';

const bounds = (condition: string): [number, number] => {
  const [from, to] = [...condition.matchAll(/\((\d+),0\)/g)].map(([, block]) => Number(block));
  return [from!, to ?? Number.POSITIVE_INFINITY];
};

it('ranges of blocks follow one another without a gap, from the first block to no end, and get smaller', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000), { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 16 }), (pages, connections) => {
      const made = blockConditions(pages, connections).map(bounds);
      expect(made[0]![0]).toBe(0);
      expect(made.at(-1)![1]).toBe(Number.POSITIVE_INFINITY);
      for (const [i, [from, to]] of made.entries()) {
        expect(from).toBeLessThan(to);
        if (i > 0) expect(from).toBe(made[i - 1]![1]);
      }
      const total = pages.reduce((sum, size) => sum + size, 0);
      let left = total;
      for (const [from, to] of made) {
        const blocks = pages.reduce((sum, size) => sum + Math.max(0, Math.min(size, to) - from), 0);
        // One block number stands for one block in each partition. 512 blocks are 4 MiB.
        expect(blocks).toBeLessThanOrEqual(Math.max(512, left / (2 * connections)) + 2 * pages.length);
        left -= blocks;
      }
    }),
  );
});
