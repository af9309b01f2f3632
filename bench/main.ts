#!/usr/bin/env tsx
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import getPort from 'get-port';
import { projectRoot } from '../sandbox/paths.js';
import { postgresUrl, startPostgres } from '../sandbox/postgres.js';
import { stopService } from '../sandbox/service.js';
import type { Measured } from './figures.js';
import { measureAll } from './measure-all.js';
import type { MysqlOptions } from './mysql.js';
import { plot } from './plot.js';
import { report } from './report.js';
import { floor, installDuckdb, type Runner, runners } from './runners.js';
import type { SafetyOptions } from './safety.js';
import { makeTables, type Table, tables } from './tables.js';

interface Options {
  scale: number;
  rounds: number;
  only: string[];
  tables: Table[];
}

const folder = join(projectRoot, '.firn/bench');
const logins = { admin: 'bench', firn: 'bench' };
const list = (text: string): string[] => text.split(',').map((name) => name.trim());

const program = new Command('bench');
program
  .command('extract')
  .description('Measure the extraction against a floor and peers, and write docs/performance.md.')
  .option('--scale <factor>', '1: lineitem of 6 M rows', Number, 1)
  .option('--rounds <n>', 'how often each runner runs', Number, 3)
  .option('--only <names>', 'runners whose names contain one of these, separated by commas; the floor always runs', list, [])
  .option('--tables <names>', tables.join(', '), list, [...tables])
  .action(bench);
program
  .command('safety')
  .description('Measure on a sandbox how many rows incremental runs read and write again under load, and write docs/performance-safety.md.')
  .option('--rounds <n>', 'how many runs of each table', Number, 12)
  .option('--sandbox <directory>', 'a sandbox that is up; not given: one is brought up and removed')
  .action(async (options: SafetyOptions) => (await import('./safety.js')).benchSafety(options));
program
  .command('engines')
  .description('Read one table at several sizes by Lambda and by Glue, and write docs/performance-engines.md.')
  .option('--sizes <rows>', 'separated by commas, ascending', (text) => text.split(',').map(Number), [100_000, 1_000_000, 4_000_000])
  .action(async (options: { sizes: number[] }) => (await import('./engines.js')).benchEngines(options));
program
  .command('mysql')
  .description('Measure the extraction of MySQL at several sizes, and write docs/performance-mysql.md.')
  .option('--sizes <rows>', 'separated by commas, ascending', (text) => text.split(',').map(Number), [500_000, 2_000_000, 8_000_000])
  .option('--rounds <n>', 'how often each runs', Number, 3)
  .action(async (options: MysqlOptions) => (await import('./mysql.js')).benchMysql(options));
await program.parseAsync();

async function bench({ scale, rounds, only, tables: chosenTables }: Options): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const port = await getPort();
  const service = await startPostgres(folder, port, logins, () => {});
  try {
    const source = postgresUrl(port, 'postgres', logins);
    await makeTables(source, scale, await installDuckdb(folder), folder);
    const isChosen = ({ name }: Runner): boolean =>
      only.length === 0 || only.some((part) => name.toLowerCase().includes(part.toLowerCase()));
    const chosen = runners.filter((runner) => runner === floor || isChosen(runner));
    await measureAll({ folder, source, pid: service.pid, runners: chosen, tables: chosenTables, rounds, scale }, (measured) =>
      write(measured, chosen),
    );
  } finally {
    await stopService(service, 'SIGINT');
  }
}

function write(measured: Measured, chosen: Runner[]): void {
  const docs = join(projectRoot, 'docs');
  writeFileSync(join(folder, 'runs.json'), JSON.stringify(measured, null, 1));
  writeFileSync(join(docs, 'performance.md'), report(measured, chosen, new Date().toISOString().slice(0, 10)));
  writeFileSync(join(docs, 'performance.svg'), plot(measured, chosen));
}
