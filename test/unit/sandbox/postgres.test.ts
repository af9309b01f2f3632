import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { postgresPlace, postgresUrl, removePostgres, startPostgres } from '../../../sandbox/postgres.js';
import { type Service, stopService } from '../../../sandbox/service.js';

const logins = { admin: 'of the admin', firn: "of 'firn'" };
const encoded = { admin: encodeURIComponent(logins.admin), firn: encodeURIComponent(logins.firn) };

async function query(port: number, user: 'postgres' | 'firn', sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgresUrl(port, user, encoded) });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe.each([
  ['that everybody may enter', 0o755],
  ['of its owner only', 0o700],
])('PostgreSQL of a sandbox in a folder %s', (_name, mode) => {
  const directory = mkdtempSync(join(tmpdir(), 'firn-postgres-test-'));
  chmodSync(directory, mode);
  const started: Service[] = [];
  afterAll(async () => {
    for (const service of started) await stopService(service, 'SIGINT');
    rmSync(postgresPlace(directory).folder, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  });
  const start = async (port: number) => {
    const service = await startPostgres(directory, port, logins, (spawned) => started.push(spawned));
    return service;
  };

  it('lets Firn read what is made after it, see other sessions, and nothing more', async () => {
    const port = await getPort({ host: '127.0.0.1' });
    await start(port);
    await query(port, 'postgres', 'CREATE TABLE orders AS SELECT 1 AS id');
    expect(await query(port, 'firn', 'SELECT id FROM orders')).toEqual([{ id: 1 }]);
    await expect(query(port, 'firn', 'DELETE FROM orders')).rejects.toMatchObject({ code: '42501' });
    const [settings] = await query(
      port,
      'firn',
      `SELECT current_setting('wal_level') AS wal, current_setting('max_prepared_transactions')::int > 0 AS prepares,
              current_setting('server_encoding') AS encoding, current_setting('timezone') AS zone,
              pg_has_role('pg_read_all_stats', 'USAGE') AS stats, lower('ÄÉ') AS lower`,
    );
    expect(settings).toEqual({ wal: 'logical', prepares: true, encoding: 'UTF8', zone: 'UTC', stats: true, lower: 'äé' });
    const [{ password }] = (await query(port, 'postgres', "SELECT rolpassword AS password FROM pg_authid WHERE rolname = 'firn'")) as [
      { password: string },
    ];
    expect(password).toMatch(/^SCRAM-SHA-256\$/);
  });

  it('keeps its data after it was killed, on another port, beside a process that was forgotten', async () => {
    process.kill(started.at(-1)!.pid, 'SIGKILL');
    const second = await getPort({ host: '127.0.0.1' });
    await start(second);
    expect(await query(second, 'firn', 'SELECT id FROM orders')).toEqual([{ id: 1 }]);
    const third = await getPort({ host: '127.0.0.1' });
    await start(third);
    expect(await query(third, 'firn', 'SELECT id FROM orders')).toEqual([{ id: 1 }]);
  });

  it('can be removed while it runs, and begins anew', async () => {
    await removePostgres(directory);
    expect(existsSync(postgresPlace(directory).folder)).toBe(false);
    const port = await getPort({ host: '127.0.0.1' });
    await start(port);
    await expect(query(port, 'postgres', 'SELECT id FROM orders')).rejects.toMatchObject({ code: '42P01' });
  });
});
