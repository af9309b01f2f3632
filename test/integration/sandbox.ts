import { join } from 'node:path';
import { reset } from '../../sandbox/down.js';
import { projectRoot } from '../../sandbox/paths.js';
import { up } from '../../sandbox/up.js';

/**
 * Brings a sandbox of its own up for the suite, empty and without configuration, and removes it afterwards.
 * FIRN_KEEP_SANDBOX=1 leaves it up, for a look at it and for a quicker start of the next suite.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const directory = join(projectRoot, '.firn/test-sandbox');
  const isKept = process.env.FIRN_KEEP_SANDBOX === '1';
  process.env.FIRN_SANDBOX_DIR = directory; // the tests' processes inherit it
  if (!isKept) await reset(directory);
  await up({ directory, push: false });
  return async () => {
    if (!isKept) await reset(directory);
  };
}
