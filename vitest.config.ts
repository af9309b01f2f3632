import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The integration tests wait more than they compute, so that two cores serve three files at once.
    maxWorkers: 3,
    projects: [
      // Long enough for a machine that is busy with other things: a limit is for what hangs, not for what is slow.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/sandbox.ts'],
          testTimeout: 180_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: ['test/faults/setup.ts'],
          // One file after the other: each brings the machine to its limit.
          fileParallelism: false,
          maxConcurrency: 4,
          testTimeout: 600_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
