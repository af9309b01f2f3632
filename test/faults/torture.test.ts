import { expect, it } from 'vitest';
import { faultSandboxDirectory } from './sandbox.js';
import { torture } from './torture/torture.js';

it('three minutes of torture: staging equals the source, and nothing is left behind', { timeout: 1_200_000 }, async () => {
  const { wrong, tally } = await torture({ directory: faultSandboxDirectory, minutes: 3, seed: 20_251_121, print: () => {} });
  expect(wrong).toEqual([]);
  // It was a torture.
  for (const what of ['runs SUCCEEDED', 'failpoints hit', 'transactions', 'rolled back']) {
    expect({ what, some: tally.of(what) > 0 }).toEqual({ what, some: true });
  }
});
