import { bringUpFaultSandbox } from './sandbox.js';

/** FIRN_KEEP_SANDBOX=1 leaves the servers up, for a look at them; the lines to them end with this process. */
export default async function setup(): Promise<() => Promise<void>> {
  const remove = await bringUpFaultSandbox();
  return process.env.FIRN_KEEP_SANDBOX === '1' ? async () => {} : remove;
}
