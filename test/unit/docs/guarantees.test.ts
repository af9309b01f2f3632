import { expect, it } from 'vitest';
import { textOf } from './pages.js';

const [, faults = ''] = textOf('docs/guarantees.md').split('## What happens when …');
const rows = faults
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()));

// links.test.ts sees to it that the files are there.
it.each(rows.map(([, fault, , proof]) => [fault, proof]))('the guarantee for “%s” names the test that proves it', (_fault, proof) => {
  expect(proof).toMatch(/^(\[[\w -]+\]\(\.\.\/test\/[\w/-]+\.test\.ts\)(, )?)+$/);
});

it('there are guarantees', () => {
  expect(rows.length).toBeGreaterThan(10);
});
