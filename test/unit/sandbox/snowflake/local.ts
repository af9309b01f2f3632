import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import snowflake, { type Binds, type Connection, type RowStatement } from 'snowflake-sdk';
import { type Service, stopService } from '../../../../sandbox/service.js';
import { startSnowflake } from '../../../../sandbox/snowflake.js';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

export type Row = Record<string, unknown>;

/** A session of the real driver. */
export interface Session {
  connection: Connection;
  query(sql: string, binds?: Binds): Promise<Row[]>;
  /** Starts a statement; its id. */
  submit(sql: string, binds?: Binds): Promise<string>;
  close(): Promise<void>;
}

export interface Server {
  directory: string;
  port: number;
  connect(options?: object): Promise<Session>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The server with an empty directory; without `awsEndpoint` nothing answers where AWS should be. */
export async function startServer(awsEndpoint = 'http://127.0.0.1:9'): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), "firn's snowflake-"));
  const port = await getPort({ host: '127.0.0.1' });
  let service: Service = await startSnowflake(directory, port, awsEndpoint);
  return {
    directory,
    port,
    connect: (options = {}) => connect(port, options),
    restart: async () => {
      await stopService(service);
      service = await startSnowflake(directory, port, awsEndpoint);
    },
    stop: async () => {
      await stopService(service);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function connect(port: number, options: object): Promise<Session> {
  snowflake.configure({ logLevel: 'OFF', additionalLogToConsole: false, disableOCSPChecks: true });
  const connection = snowflake.createConnection({
    account: 'local',
    username: 'firn',
    authenticator: 'SNOWFLAKE_JWT',
    privateKey,
    accessUrl: `http://127.0.0.1:${port}`,
    ...options,
  });
  await new Promise<void>((resolve, reject) => {
    connection.connectAsync((error) => (error ? reject(error) : resolve())).catch(reject);
  });
  const execute = (sqlText: string, binds: Binds | undefined, asyncExec: boolean) =>
    new Promise<{ statement: RowStatement; rows: Row[] }>((resolve, reject) => {
      connection.execute({
        sqlText,
        asyncExec,
        ...(binds && { binds }),
        complete: (error, statement, rows) => (error ? reject(error) : resolve({ statement, rows: (rows ?? []) as Row[] })),
      });
    });
  return {
    connection,
    query: async (sql, binds) => (await execute(sql, binds, false)).rows,
    submit: async (sql, binds) => (await execute(sql, binds, true)).statement.getQueryId(),
    close: () => new Promise((resolve) => connection.destroy(() => resolve())),
  };
}

/** The rows of a statement that was submitted, when it has ended. */
export function resultOf(session: Session, queryId: string): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    session.connection.fetchResult({
      queryId,
      complete: (error: Error | undefined, _statement: RowStatement, rows?: Row[]) => (error ? reject(error) : resolve(rows ?? [])),
    });
  });
}
