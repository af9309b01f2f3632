import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { copyTemplate, findMariaDb } from './mariadb.js';
import type { PostgresLogins } from './postgres.js';
import { type OnSpawn, type Service, startService } from './service.js';

export const mysqlDatabase = 'shop';

/** Connection string of a login to the database `shop`. */
export function mysqlUrl(port: number, user: 'root' | 'firn', logins: PostgresLogins): string {
  return `mysql://${user}:${user === 'firn' ? logins.firn : logins.admin}@127.0.0.1:${port}/${mysqlDatabase}`;
}

/** As small as the sandbox's tables allow, and a row-based log, as CDC wants it. Nothing survives a loss of power. */
export const mysqlSettings = [
  '--bind-address=127.0.0.1',
  '--skip-name-resolve',
  '--innodb-buffer-pool-size=128M',
  '--innodb-flush-log-at-trx-commit=0',
  '--performance-schema=OFF',
  '--max-allowed-packet=64M',
];

/**
 * Starts MariaDB with the database `shop` and the logins; data are kept from one start to the next.
 * @throws ServiceFailed, naming the log; Error when MariaDB cannot be had
 */
export async function startMysql(directory: string, port: number, logins: PostgresLogins, onSpawn: OnSpawn): Promise<Service> {
  const maria = await findMariaDb();
  const folder = join(directory, 'mysql');
  const data = join(folder, 'data');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(data)) copyTemplate(maria, data);
  const setUp = join(folder, 'set-up.sql');
  writeFileSync(setUp, setUpStatements(logins), { mode: 0o600 });
  const own = [`--datadir=${data}`, `--port=${port}`, `--socket=${join(folder, 'socket')}`, `--init-file=${setUp}`];
  const service = await startService(
    {
      name: 'mysql',
      command: maria.command,
      args: [
        ...maria.args,
        ...mysqlSettings,
        ...own,
        '--server-id=1',
        '--log-bin=binlog',
        '--binlog-format=ROW',
        '--binlog-row-metadata=FULL',
      ],
      env: maria.env,
      cwd: folder,
      port,
      log: join(directory, 'logs/mysql.log'),
    },
    () => accepts(mysqlUrl(port, 'root', logins)),
    { onSpawn },
  );
  rmSync(setUp);
  return service;
}

/** Run by the server each time it starts, one statement per line. */
function setUpStatements({ admin, firn }: PostgresLogins): string {
  const lines = [`CREATE DATABASE IF NOT EXISTS ${mysqlDatabase} CHARACTER SET utf8mb4`];
  // The system tables come with users without a password, and the nearer host goes before '%'.
  lines.push("DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1', 'root'@'localhost'");
  for (const [user, password] of Object.entries({ root: admin, firn })) {
    lines.push(`CREATE USER IF NOT EXISTS '${user}'@'%'`, `ALTER USER '${user}'@'%' IDENTIFIED BY '${password}'`);
  }
  lines.push("GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION", `GRANT SELECT ON ${mysqlDatabase}.* TO 'firn'@'%'`);
  lines.push("GRANT PROCESS ON *.* TO 'firn'@'%'");
  return lines.map((line) => `${line};\n`).join('');
}

/** Makes the tables of the shop where there are none; what is there is left as it is. */
export async function fillShop(uri: string): Promise<void> {
  const connection = await mysql.createConnection({ uri, multipleStatements: true, charset: 'utf8mb4' });
  try {
    const [tables] = await connection.query<mysql.RowDataPacket[]>("SHOW TABLES LIKE 'order_lines'");
    if (tables.length === 0) await connection.query(readFileSync(new URL('source-data/mysql-shop.sql', import.meta.url), 'utf8'));
  } finally {
    await connection.end();
  }
}

async function accepts(uri: string): Promise<boolean> {
  const connection = await mysql.createConnection({ uri, connectTimeout: 2000 }).catch((error: { code?: string }) => {
    // It runs, but with another password. Waiting would not help.
    if (error.code === 'ER_ACCESS_DENIED_ERROR') throw error;
    return null;
  });
  await connection?.end();
  return connection !== null;
}
