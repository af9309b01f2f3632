import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import getPort from 'get-port';
import { Client } from 'pg';
import { projectRoot } from '../../../sandbox/paths.js';
import { postgresPlace } from '../../../sandbox/postgres.js';

/** A PostgreSQL server of its own on 127.0.0.1, for the time of one test file. */
export interface RunningPostgres {
  port: number;
  connect(options?: { user?: string; application?: string; database?: string }): Promise<Client>;
  stop(): Promise<void>;
}

/** Starts one; as root it runs as `nobody`, since PostgreSQL refuses root. `standby`: it recovers for ever, from a primary that never writes. */
export async function startPostgres(settings: Record<string, string> = {}, standby = false): Promise<RunningPostgres> {
  const port = await getPort({ host: '127.0.0.1' });
  const folder = mkdtempSync('/tmp/firn-test-postgres-');
  const place = postgresPlace(join(projectRoot, '.firn/test-postgres'));
  const binaries = place.binaries();
  if (place.owner) chownSync(folder, place.owner.uid, place.owner.gid);
  execFileSync(
    `${binaries}/initdb`,
    ['-D', `${folder}/data`, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
    { ...place.owner, cwd: folder, stdio: 'pipe' },
  );
  if (standby) writeFileSync(`${folder}/data/standby.signal`, '');
  const options = Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    max_prepared_transactions: '20',
    ...settings,
  });
  const server = spawn(
    `${binaries}/postgres`,
    ['-D', `${folder}/data`, '-p', String(port), ...options.flatMap(([key, value]) => ['-c', `${key}=${value}`])],
    {
      ...place.owner,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  await ready(server);

  const open: Client[] = [];
  return {
    port,
    async connect({ user = 'postgres', application = 'test', database = 'postgres' } = {}) {
      const client = new Client({ host: '127.0.0.1', port, user, database, application_name: application });
      // The server's stop ends sessions that a failed test has left open.
      client.on('error', () => {});
      await client.connect();
      open.push(client);
      return client;
    },
    async stop() {
      await Promise.all(open.map((client) => client.end().catch(() => {})));
      server.kill('SIGINT');
      await once(server, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ready(server: ChildProcess): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: server.stderr! })) {
    lines.push(line);
    if (/ready to accept (read-only )?connections/.test(line)) {
      server.stderr!.resume();
      return;
    }
  }
  throw new Error(`postgres did not start:\n${lines.join('\n')}`);
}
