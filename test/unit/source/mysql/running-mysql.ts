import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import getPort from 'get-port';
import mysql, { type Connection } from 'mysql2/promise';
import type { SourceSecret } from '../../../../core/source/source.js';
import { copyTemplate, findMariaDb } from '../../../../sandbox/mariadb.js';
import { mysqlSettings } from '../../../../sandbox/mysql.js';

/** A MariaDB server of its own on 127.0.0.1, for the time of one test file, with the database `shop`. */
export interface RunningMysql {
  port: number;
  /** Of the user `root`, without password or TLS. */
  secret: SourceSecret;
  connect(user?: string): Promise<Connection>;
  /** Ends all sessions; data stay. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startMysql(settings: string[] = []): Promise<RunningMysql> {
  const maria = await findMariaDb();
  const port = await getPort({ host: '127.0.0.1' });
  const folder = mkdtempSync('/tmp/firn-test-mysql-');
  const setUp = join(folder, 'set-up.sql');
  writeFileSync(
    setUp,
    "CREATE USER root@'%';\nGRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;\nCREATE DATABASE shop CHARACTER SET utf8mb4;\n",
  );
  copyTemplate(maria, join(folder, 'data'));
  const own = [`--datadir=${folder}/data`, `--port=${port}`, `--socket=${folder}/socket`, `--init-file=${setUp}`];
  const start = async (): Promise<ChildProcess> => {
    const server = spawn(maria.command, [...maria.args, ...mysqlSettings, ...own, ...settings], {
      cwd: folder,
      env: maria.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await ready(server);
    return server;
  };
  let server = await start();

  const open: Connection[] = [];
  return {
    port,
    secret: { host: '127.0.0.1', port, user: 'root', password: '', database: 'shop', sslmode: 'disable' },
    async connect(user = 'root') {
      const connection = await mysql.createConnection({ host: '127.0.0.1', port, user, database: 'shop', multipleStatements: true });
      // The server's stop ends sessions that a failed test has left open.
      connection.on('error', () => {});
      open.push(connection);
      return connection;
    },
    async restart() {
      await end();
      server = await start();
    },
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };

  async function end(): Promise<void> {
    for (const connection of open.splice(0)) connection.destroy();
    const exited = once(server, 'exit');
    server.kill('SIGTERM');
    await exited;
  }
}

async function ready(server: ChildProcess): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: server.stderr! })) {
    lines.push(line);
    if (line.includes('ready for connections')) {
      server.stderr!.resume();
      return;
    }
  }
  throw new Error(`MariaDB did not start:\n${lines.join('\n')}`);
}
