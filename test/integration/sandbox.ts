import { join } from 'node:path';
import { reset } from '../../sandbox/down.js';
import { projectRoot, pythonPath } from '../../sandbox/paths.js';
import { loadSourceData } from '../../sandbox/source-data/load.js';
import { up } from '../../sandbox/up.js';
import { pushTestTables } from './fixture.js';

/**
 * Brings a sandbox of its own up for the suite, with the demo's source and the tests' tables, and removes it afterwards.
 * FIRN_KEEP_SANDBOX=1 leaves it up, for a look at it.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const directory = join(projectRoot, '.firn/test-sandbox');
  const isKept = process.env.FIRN_KEEP_SANDBOX === '1';
  process.env.FIRN_SANDBOX_DIR = directory; // the tests' processes inherit it
  await reset(directory);
  const sandbox = await up({ directory, mysql: true });
  await loadSourceData(sandbox.postgres.adminUrl, pythonPath());
  const before = { ...process.env };
  await pushTestTables(sandbox);
  // The unit tests, which run beside these, know no AWS.
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  return async () => {
    if (!isKept) await reset(directory);
  };
}
