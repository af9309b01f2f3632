import { readMemory, serviceNames } from './memory.js';
import { sandboxDirectory } from './paths.js';
import { isRunning } from './service.js';
import { readState, type SandboxState } from './state.js';

export interface SandboxStatus {
  /** Whether all of it is up. */
  up: boolean;
  directory: string;
  services: { name: string; running: boolean; pid?: number; port?: number; log?: string }[];
  /** How to reach it; absent until `up` has finished. */
  sandbox?: SandboxState;
}

export function status(directory = sandboxDirectory()): SandboxStatus {
  const memory = readMemory(directory);
  const processes = memory?.processes ?? [];
  const wanted = serviceNames.filter((name) => name !== 'mysql' || memory?.mysql);
  const services = wanted.map((name) => {
    const found = processes.find((service) => service.name === name);
    if (!found || !isRunning(found)) return { name, running: false };
    return { name, running: true, pid: found.pid, port: found.port, log: found.log };
  });
  const sandbox = readState(directory) ?? undefined;
  return { up: sandbox !== undefined && services.every(({ running }) => running), directory, services, ...(sandbox && { sandbox }) };
}
