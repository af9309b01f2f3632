import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { checksumsOfFiles } from './check.js';
import type { Runner } from './runners.js';
import type { Table } from './tables.js';

/** One run of one runner over one table. */
export interface Run {
  runner: string;
  table: Table;
  /** Of the whole process, its start included. */
  seconds: number;
  /** Of the process alone, without the server. */
  cpu: number;
  rss: number;
  /** Of the Parquet files. */
  bytes: number;
  /** Seconds of the best of ours, just before or after, where the two are to be compared. */
  beside?: number;
}

const measure = fileURLToPath(new URL('./measure.py', import.meta.url));

/** Seconds, processor seconds and memory of one command. @throws Error when it fails */
export async function measured(command: string[]): Promise<Pick<Run, 'seconds' | 'cpu' | 'rss'>> {
  const { stdout } = await execa('python3', [measure, ...command]);
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

/**
 * Runs once and checks what was written.
 * @throws Error when the runner fails or its files are not the table
 */
export async function runOnce(runner: Runner, place: string, source: string, table: Table, out: string, expected: string[]): Promise<Run> {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  try {
    const usage = await measured(runner.command(place, source, table, out));
    if (runner.writes) {
      const found = await checksumsOfFiles(out, table);
      if (found.join() !== expected.join()) throw new Error(`wrote ${found.join(', ')} instead of ${expected.join(', ')}`);
    }
    return { runner: runner.name, table, ...usage, bytes: await parquetBytes(out) };
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function parquetBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const files = await Promise.all(names.filter((name) => name.endsWith('.parquet')).map((name) => stat(join(folder, name))));
  return files.reduce((sum, { size }) => sum + size, 0);
}
