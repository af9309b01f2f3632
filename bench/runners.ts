import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** One way to read a table: a command that writes Parquet files into `out`, or, of the floor, nothing. */
export interface Runner {
  name: string;
  settings: string;
  /** Exact versions; each runner that has any gets a folder of its own. */
  packages: { from: 'PyPI' | 'npm'; folder: string; names: string[] } | null;
  writes: boolean;
  /** Too slow for every round: the first one must do. */
  once?: boolean;
  /** Its connections read several snapshots: another job, shown without a target. */
  severalSnapshots?: boolean;
  command(place: string, source: string, table: string, out: string): string[];
}

const script = (name: string): string => fileURLToPath(new URL(`./peers/${name}`, import.meta.url));
const python = (place: string): string => join(place, 'bin/python');

const firn = (connections: number): Runner => ({
  name: `Firn, ${connections} connection${connections > 1 ? 's' : ''}`,
  settings: 'zstd level 1, statistics, row groups of 16 MiB of source; bundled as the functions are',
  packages: null,
  writes: true,
  command: (place, source, table, out) => [process.execPath, join(place, 'firn.mjs'), source, table, out, String(connections)],
});

const duckdb = {
  from: 'PyPI' as const,
  folder: 'duckdb',
  names: ['duckdb==1.5.5', 'duckdb-extension-postgres-scanner==1.5.5', 'duckdb-extension-tpch==1.5.5'],
};

const scanner = (threads: number): Runner => ({
  name: `DuckDB postgres scanner, ${threads} thread${threads > 1 ? 's' : ''}`,
  settings: 'zstd level 1',
  packages: duckdb,
  writes: true,
  command: (place, source, table, out) => [python(place), script('duckdb_scanner.py'), source, table, out, String(threads)],
});

const pythonPeer = (name: string, folder: string, settings: string, names: string[]): Runner => ({
  name,
  settings,
  packages: { from: 'PyPI', folder, names },
  writes: true,
  command: (place, source, table, out) => [python(place), script(`${folder}_read.py`), source, table, out],
});

const connectorX = (partitions: number): Runner => {
  const several = partitions > 1;
  const settings = `${several ? `${partitions} partitions of the key, each its own snapshot` : 'one partition'}; pyarrow writes zstd level 1`;
  const name = several ? `ConnectorX, ${partitions} partitions` : 'ConnectorX';
  const peer = pythonPeer(name, 'connectorx', settings, ['connectorx==0.4.6', 'pyarrow==26.0.1']);
  return { ...peer, command: (...args) => [...peer.command(...args), String(partitions)] };
};

/** What nobody can be faster than on one connection: the server's binary rows, thrown away. */
export const floor: Runner = {
  name: 'psql, COPY binary to /dev/null',
  settings: 'the floor',
  packages: null,
  writes: false,
  command: (_place, source, table) => [
    'psql',
    source,
    '-qAtX',
    '-o',
    '/dev/null',
    '-c',
    `COPY (SELECT * FROM ${table}) TO STDOUT (FORMAT binary)`,
  ],
};

/** The bundle lies in `place`. */
export const alone = firn(1);
export const best = firn(2);
export const rival = scanner(2);

export const runners: Runner[] = [
  floor,
  alone,
  best,
  scanner(1),
  rival,
  connectorX(1),
  { ...connectorX(2), severalSnapshots: true },
  pythonPeer('ADBC', 'adbc', 'pyarrow writes zstd level 1', [
    'adbc-driver-postgresql==1.13.0',
    'adbc-driver-manager==1.13.0',
    'pyarrow==26.0.1',
  ]),
  {
    ...pythonPeer('dlt', 'dlt', 'pyarrow backend, chunks of 100,000 rows, filesystem destination', [
      'dlt[parquet]==1.31.0',
      'sqlalchemy==2.1.9',
      'psycopg2-binary==2.9.13',
      'pyarrow==26.0.1',
    ]),
    once: true,
  },
  {
    name: 'pg cursor + hyparquet-writer',
    settings: '100,000 rows at a time, snappy; values other than numbers as text',
    packages: { from: 'npm', folder: 'cursor', names: ['pg@8.23.1', 'pg-cursor@2.22.0', 'hyparquet-writer@0.17.0'] },
    writes: true,
    once: true,
    command: (place, source, table, out) => [process.execPath, script('cursor_read.mjs'), place, source, table, out],
  },
];

/** Which the best of ours is to be faster than, by a target. */
export const compared = runners.filter(
  (runner) => runner === rival || !([floor, alone, best].includes(runner) || runner.severalSnapshots || runner.name.startsWith('DuckDB')),
);

/** Where DuckDB's Python with the tpch extension is, which makes lineitem. */
export async function installDuckdb(folder: string): Promise<string> {
  return python(await install({ ...scanner(1) }, folder));
}

/** Installs what a runner needs, once, and answers its folder. */
export async function install({ packages }: Runner, folder: string): Promise<string> {
  if (packages === null) return folder;
  const place = join(folder, packages.folder);
  const ready = join(place, '.ready');
  if (existsSync(ready)) return place;
  await rm(place, { recursive: true, force: true });
  if (packages.from === 'npm') {
    await mkdir(place, { recursive: true });
    await writeFile(join(place, 'package.json'), '{"private": true}');
    await execa('npm', ['install', '--no-audit', '--no-fund', '--save-exact', ...packages.names], { cwd: place });
  } else {
    await execa('python3', ['-m', 'venv', place]);
    await execa(python(place), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages.names]);
  }
  await writeFile(ready, '');
  return place;
}
