import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const variable = 'FIRN_FAILPOINTS';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-failpoints-'));
  mkdirSync(join(folder, 'hit'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
  rmSync(folder, { recursive: true });
});

/** The module as a function would load it: it looks at its environment once. */
async function load(value: string | undefined) {
  vi.stubEnv(variable, value);
  return import('../../core/failpoints.js');
}
const arm = (file: string, failure: string) => writeFileSync(join(folder, file), failure);

describe('a failpoint', () => {
  it('does nothing, and looks nowhere, without the environment variable', async () => {
    const { failpoint, withFailpoints } = await load(undefined);
    arm('merged@orders', 'throw');
    const call = async () => {
      await failpoint('merged', 'orders');
      return 'done';
    };
    expect(await withFailpoints('orders', call)).toBe('done');
    expect(readdirSync(folder)).toContain('merged@orders');
  });

  it('is hit once, by the table it is armed for', async () => {
    const { failpoint, withFailpoints } = await load(folder);
    arm('merged@orders', 'throw');
    await withFailpoints('payments', () => failpoint('merged'));
    await expect(withFailpoints('orders', () => failpoint('merged'))).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    await withFailpoints('orders', () => failpoint('merged'));
    expect(readdirSync(join(folder, 'hit'))).toHaveLength(1);
  });

  it('makes the whole call again, to its end, before the first one goes on', async () => {
    const { failpoint, withFailpoints } = await load(folder);
    arm('merged@orders', 'twice');
    const told: string[] = [];
    let calls = 0;
    await withFailpoints('orders', async () => {
      const call = ++calls;
      told.push(`${call} begins`);
      await failpoint('merged');
      told.push(`${call} ends`);
    });
    expect(told).toEqual(['1 begins', '2 begins', '2 ends', '1 ends']);
  });
});
