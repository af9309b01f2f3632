import { sandboxDirectory } from '../sandbox/paths.js';
import { readState, type SandboxState } from '../sandbox/state.js';
import { CliError } from './cli-error.js';

/** The sandbox that is up. @throws CliError EnvironmentMissing */
export function requireSandbox(): SandboxState {
  const sandbox = readState(sandboxDirectory());
  if (sandbox) return sandbox;
  throw new CliError('EnvironmentMissing', 'no sandbox is up', 'Start it: `firn sandbox up`.');
}
