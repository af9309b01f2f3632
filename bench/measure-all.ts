import { mkdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import pg from 'pg';
import { bundleFirn } from './bundle.js';
import { checksumsOfTable } from './check.js';
import { measured, type Run, runOnce } from './extract.js';
import type { Measured } from './figures.js';
import { type Profile, readProfile } from './profile.js';
import { alone, best, compared, floor, install, type Runner } from './runners.js';
import type { Table } from './tables.js';

export interface Measuring {
  /** Holds the bundle and the peers. */
  folder: string;
  source: string;
  /** Of the server. */
  pid: number;
  runners: Runner[];
  tables: Table[];
  rounds: number;
  scale: number;
}

/** Measures everything. `save` is called after each table of each round, so that a run that is stopped leaves what it has. */
export async function measureAll(measuring: Measuring, save: (measured: Measured) => void): Promise<void> {
  const { folder, source, runners, tables, rounds, scale } = measuring;
  await bundleFirn(folder);
  const all: Measured = {
    scale,
    rounds: 0,
    server: await serverVersion(source),
    load: [os.loadavg()[0]!, os.loadavg()[0]!],
    runs: [],
    oneCore: [],
    memory: [],
    profiles: [],
    missing: [],
  };
  const store = (): void => {
    all.load[1] = os.loadavg()[0]!;
    save(all);
  };
  const places = await installAll(runners, measuring, all.missing);
  const expected = new Map<Table, string[]>();
  for (const table of tables) expected.set(table, await checksumsOfTable(source, table));

  for (let round = 0; round < rounds; round++) {
    const inRound: Run[] = [];
    all.runs.push(inRound);
    all.rounds++;
    for (const table of tables) {
      for (const [runner, place] of places) {
        if (round > 0 && runner.once) continue;
        if (all.missing.some((each) => each.runner === runner.name && each.table === table)) continue;
        const once = (each: Runner, where: string) => runOnce(each, where, source, table, join(folder, 'out'), expected.get(table)!);
        // Just before or just after, in turns, so that both have the same neighbours on the machine.
        const ours = async () => (compared.includes(runner) ? (await once(best, folder)).seconds : undefined);
        const before = round % 2 === 0 ? await ours() : undefined;
        const theirs = await once(runner, place).catch((error: unknown) => {
          all.missing.push({ runner: runner.name, table, why: firstLine(error) });
          console.log(`${round + 1} ${table}: ${runner.name}: ${firstLine(error)}`);
        });
        if (theirs === undefined) continue;
        const run = { ...theirs, beside: before ?? (await ours()) };
        inRound.push(run);
        tell(round, run);
      }
      store();
    }
  }
  if (os.cpus().length > 1) await measureOneCore(measuring, all.oneCore, store);
  await measureMemory(measuring, all.memory, store);
  for (const table of tables) {
    all.profiles.push(await measureProfile(measuring, table));
    store();
  }
}

async function installAll(runners: Runner[], { folder, source }: Measuring, missing: Measured['missing']): Promise<Map<Runner, string>> {
  const places = new Map<Runner, string>();
  for (const runner of runners) {
    try {
      if (!runner.writes) await execa(runner.command('', source, 'orders_wide', '')[0]!, ['--version']);
      places.set(runner, await install(runner, folder));
    } catch (error) {
      missing.push({ runner: runner.name, table: null, why: firstLine(error) });
    }
  }
  return places;
}

/** The server, with all sessions that it begins, on the second processor; whoever reads on the first. */
async function measureOneCore({ folder, source, pid, tables, rounds }: Measuring, runs: Run[][], store: () => void): Promise<void> {
  await execa('taskset', ['-apc', '1', String(pid)]);
  for (let round = 0; round < rounds; round++) {
    const inRound: Run[] = [];
    runs.push(inRound);
    for (const table of tables) {
      for (const runner of [floor, alone]) {
        const out = join(folder, 'out');
        const usage = await intoFolder(out, ['taskset', '-c', '0', ...runner.command(folder, source, table, out)]);
        const run = { runner: runner.name, table, ...usage, bytes: 0 };
        inRound.push(run);
        tell(round, run, ' on a processor of its own');
      }
    }
    store();
  }
  await execa('taskset', ['-apc', `0-${os.cpus().length - 1}`, String(pid)]);
}

/** A quarter, the whole, and four times each table. */
async function measureMemory({ folder, source, tables }: Measuring, memory: Measured['memory'], store: () => void): Promise<void> {
  const client = new pg.Client({ connectionString: source });
  await client.connect();
  await client.query(await readFile(new URL('./memory.sql', import.meta.url), 'utf8')).finally(() => client.end());
  for (const table of tables) {
    for (const size of [1, 4, 16]) {
      const out = join(folder, 'out');
      const { rss } = await intoFolder(out, alone.command(folder, source, `${table}_${size}x`, out));
      memory.push({ table, size, rss });
      console.log(`${table} ${size}×: ${rss >> 20} MiB`);
    }
    store();
  }
}

async function measureProfile({ folder, source }: Measuring, table: Table): Promise<Profile> {
  const out = join(folder, 'out');
  const profiles = join(folder, 'profile');
  const [node, ...rest] = alone.command(folder, source, table, out);
  const usage = await intoFolder(out, [node!, '--cpu-prof', `--cpu-prof-dir=${profiles}`, ...rest]);
  return readProfile(profiles, { runner: alone.name, table, ...usage, bytes: 0 });
}

async function intoFolder(out: string, command: string[]): ReturnType<typeof measured> {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  return measured(command).finally(() => rm(out, { recursive: true, force: true }));
}

function tell(round: number, { table, runner, seconds, cpu, rss, beside }: Run, more = ''): void {
  const pair = beside === undefined ? '' : `, beside ${best.name} in ${beside.toFixed(2)} s`;
  console.log(`${round + 1} ${table}: ${runner}${more}: ${seconds.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, ${rss >> 20} MiB${pair}`);
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
