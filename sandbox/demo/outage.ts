import { stopServices } from '../down.js';
import { readMemory, writeMemory } from '../memory.js';

/** Stops the sandbox's PostgreSQL, as an outage would. `up` starts it again. */
export async function stopSource(directory: string): Promise<void> {
  const memory = readMemory(directory)!;
  await stopServices(memory.processes.filter(({ name }) => name === 'postgres'));
  writeMemory(directory, { ...memory, processes: memory.processes.filter(({ name }) => name !== 'postgres') });
}
