import mysql, { type Connection } from 'mysql2/promise';
import type { SandboxState } from '../../sandbox/state.js';

/** An administrator's session in UTC whose answers are texts. */
export async function connectMysql(sandbox: SandboxState): Promise<Connection> {
  const connection = await mysql.createConnection({
    uri: sandbox.mysql!.adminUrl,
    charset: 'utf8mb4',
    timezone: 'Z',
    dateStrings: true,
    multipleStatements: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
  });
  await connection.query("SET time_zone = '+00:00'");
  return connection;
}
