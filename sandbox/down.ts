import { existsSync, rmSync } from 'node:fs';
import { readMemory, serviceNames, writeMemory } from './memory.js';
import { sandboxDirectory } from './paths.js';
import { removePostgres } from './postgres.js';
import { type Service, stopService } from './service.js';
import { removeState } from './state.js';
import { withTurn } from './turn.js';

/** Functions stop before what they talk to. PostgreSQL's SIGINT ends its sessions; SIGTERM would wait for them. */
const stopOrder = ['aws', 'snowflake', 'postgres', 'mysql'];

/** Stops the servers in order and waits until they are gone. */
export async function stopServices(services: Service[]): Promise<void> {
  for (const name of stopOrder) {
    const those = services.filter((service) => service.name === name);
    await Promise.all(those.map((service) => stopService(service, name === 'postgres' ? 'SIGINT' : 'SIGTERM')));
  }
}

/** Stops the sandbox; its data stay for the next `up`. @returns the servers that were running */
export async function down(directory = sandboxDirectory()): Promise<string[]> {
  if (!existsSync(directory)) return [];
  return withTurn(directory, () => stopAll(directory));
}

async function stopAll(directory: string): Promise<string[]> {
  removeState(directory);
  const memory = readMemory(directory);
  if (!memory) return [];
  const running = memory.processes.map(({ name }) => name);
  await stopServices(memory.processes);
  writeMemory(directory, { ...memory, processes: [] });
  return serviceNames.filter((name) => running.includes(name));
}

/** Stops the sandbox and removes all of its data. */
export async function reset(directory = sandboxDirectory()): Promise<void> {
  await down(directory);
  await removePostgres(directory);
  rmSync(directory, { recursive: true, force: true });
}
