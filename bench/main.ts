#!/usr/bin/env tsx
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { execa } from 'execa';
import getPort from 'get-port';
import pg from 'pg';
import { projectRoot } from '../sandbox/paths.js';
import { postgresUrl, startPostgres } from '../sandbox/postgres.js';
import { stopService } from '../sandbox/service.js';
import { checksumsOfTable } from './check.js';
import { type Run, runOnce } from './extract.js';
import { plot } from './plot.js';
import { type Measured, report } from './report.js';
import { floor, install, installDuckdb, type Runner, runners } from './runners.js';
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
    await measureAll(source, chosen, chosenTables, rounds, scale);
  } finally {
    await stopService(service, 'SIGINT');
  }
}

/** After each table of each round, so that a run that is stopped leaves what it has. */
function write(measured: Measured, chosen: Runner[]): void {
  const docs = join(projectRoot, 'docs');
  writeFileSync(join(folder, 'runs.json'), JSON.stringify(measured, null, 1));
  writeFileSync(join(docs, 'performance.md'), report(measured, chosen, new Date().toISOString().slice(0, 10)));
  writeFileSync(join(docs, 'performance.svg'), plot(measured, chosen));
}

async function measureAll(source: string, chosen: Runner[], chosenTables: Table[], rounds: number, scale: number): Promise<void> {
  const missing: Measured['missing'] = [];
  const places = new Map<Runner, string>();
  for (const runner of chosen) {
    try {
      if (!runner.writes) await execa(runner.command('', source, 'orders_wide', '')[0]!, ['--version']);
      places.set(runner, await install(runner, folder));
    } catch (error) {
      missing.push({ runner: runner.name, table: null, why: firstLine(error) });
    }
  }
  const expected = new Map<Table, string[]>();
  for (const table of chosenTables) expected.set(table, await checksumsOfTable(source, table));

  const server = await serverVersion(source);
  const load = os.loadavg()[0]!;
  const runs: Run[][] = [];
  for (let round = 0; round < rounds; round++) {
    const inRound: Run[] = [];
    runs.push(inRound);
    for (const table of chosenTables) {
      for (const [runner, place] of places) {
        if (round > 0 && runner.once) continue;
        if (missing.some((each) => each.runner === runner.name && each.table === table)) continue;
        try {
          const run = await runOnce(runner, place, source, table, join(folder, 'out'), expected.get(table)!);
          inRound.push(run);
          console.log(
            `${round + 1} ${table}: ${runner.name}: ${run.seconds.toFixed(2)} s, CPU ${run.cpu.toFixed(2)} s, ${run.rss >> 20} MiB`,
          );
        } catch (error) {
          missing.push({ runner: runner.name, table, why: firstLine(error) });
          console.log(`${round + 1} ${table}: ${runner.name}: ${firstLine(error)}`);
        }
      }
      write({ scale, rounds: runs.length, server, load: [load, os.loadavg()[0]!], runs, missing }, chosen);
    }
  }
}

async function serverVersion(source: string): Promise<string> {
  const client = new pg.Client({ connectionString: source });
  await client.connect();
  const { rows } = await client.query('SHOW server_version').finally(() => client.end());
  return `PostgreSQL ${rows[0].server_version}`;
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim().split('\n').at(-1) || message.split('\n')[0]!).slice(0, 200);
}
