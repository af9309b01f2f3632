import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, startTime } from './service.js';

/**
 * Runs `work` while no other `up` or `down` of the sandbox works. Ctrl-C aborts the signal that it is given, so that it can clean up.
 * @throws Error when another one is at work
 */
export async function withTurn<T>(directory: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'turn.json');
  take(file);
  const controller = new AbortController();
  const abort = () => controller.abort();
  process.on('SIGINT', abort);
  process.on('SIGTERM', abort);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', abort);
    process.off('SIGTERM', abort);
    rmSync(file, { force: true });
  }
}

function take(file: string): void {
  const own = JSON.stringify({ pid: process.pid, startedAt: startTime(process.pid) });
  try {
    writeFileSync(file, own, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = parse(file);
    if (holder && isRunning(holder)) throw new Error(`process ${holder.pid} is bringing this sandbox up or down: wait for it`);
    writeFileSync(file, own);
  }
}

function parse(file: string): { pid: number; startedAt: string } | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // its writer died in the middle of it, or removed it just now
  }
}
