import { setTimeout } from 'node:timers/promises';
import snowflake, { type Binds, type Connection, type RowStatement, type SnowflakeError } from 'snowflake-sdk';
import { FirnError } from '../errors.js';
import type { SnowflakeSecret } from '../secrets.js';
import { quoteLiteral } from './identifiers.js';
import { warehouseError } from './statement-error.js';

export type Row = Record<string, unknown>;
/** A result whose numbers are texts, since JavaScript's would be rounded beyond 15 digits. */
export interface ExactResult {
  /** `type`: fixed, real, text, date, timestamp_ntz and so on. `scale`: also the digits of a second's fraction. */
  columns: { name: string; type: string; precision: number | null; scale: number | null }[];
  rows: unknown[][];
}

export type StatementState = 'RUNNING' | 'SUCCEEDED' | { failed: FirnError };

/** One session. Errors are FirnErrors Warehouse…, or the one that a procedure of Firn threw. */
export interface Warehouse {
  /** Runs a statement to its end. */
  query(sql: string, binds?: Binds): Promise<Row[]>;
  /** The same, exact and in the order of the columns. */
  queryExact(sql: string): Promise<ExactResult>;
  /** Starts a statement and answers its query id. It goes on after close(). */
  submit(sql: string, binds?: Binds): Promise<string>;
  /** A statement that Snowflake does not know has failed with WarehouseUnreachable. */
  status(queryId: string): Promise<StatementState>;
  /** Rows of a statement that has succeeded. */
  result(queryId: string): Promise<Row[]>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Stands as JSON beside each statement in QUERY_HISTORY. */
  queryTag: Record<string, string>;
  /** Instead of the warehouse of the secret. */
  warehouse?: string | null;
  /** For how long Snowflake may know nothing of a statement that was submitted. Milliseconds. @default 20 seconds */
  unknownStatementMillis?: number;
  /** How often logging in is tried again where Snowflake does not answer. @default 7, for minutes */
  loginRetries?: number;
}

/** No statement of ours may run longer; a MERGE that needs more wants a greater warehouse. */
const statementTimeoutSeconds = 6 * 3600;

const running = ['RUNNING', 'QUEUED', 'RESUMING_WAREHOUSE', 'QUEUED_REPARING_WAREHOUSE', 'BLOCKED', 'RESTARTED'];
/** What Snowflake answers about a statement that it does not know yet, no longer, or never did. */
const unknown = ['NO_DATA', 'NO_QUERY_DATA'];

/** Opens a session by key pair. Its zone is UTC. */
export async function connectSnowflake(secret: SnowflakeSecret, options: SessionOptions): Promise<Warehouse> {
  // Only the sandbox speaks plain HTTP, on loopback, where there is no certificate to check.
  const loopback = secret.accessUrl !== undefined && new URL(secret.accessUrl).origin.startsWith('http://127.0.0.1');
  snowflake.configure({ logLevel: 'OFF', additionalLogToConsole: false, disableOCSPChecks: loopback });
  const connection = snowflake.createConnection({
    account: secret.account,
    username: secret.user,
    authenticator: 'SNOWFLAKE_JWT',
    privateKey: secret.privateKey,
    role: secret.role,
    warehouse: options.warehouse ?? secret.warehouse,
    database: secret.database,
    accessUrl: secret.accessUrl,
    application: 'Firn',
    ...(options.loginRetries !== undefined && { sfRetryMaxLoginRetries: options.loginRetries }),
    // Binds travel in the request; a stage of ours for them would be one more thing to grant.
    arrayBindingThreshold: Number.MAX_SAFE_INTEGER,
  });
  await connect(connection);
  const session = warehouse(connection, options.unknownStatementMillis ?? 20_000);
  await session.query(
    `ALTER SESSION SET QUERY_TAG = ${quoteLiteral(JSON.stringify({ app: 'firn', ...options.queryTag }))}, TIMEZONE = 'UTC', STATEMENT_TIMEOUT_IN_SECONDS = ${statementTimeoutSeconds}`,
  );
  return session;
}

async function connect(connection: Connection): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    connection
      .connectAsync((error) => (error ? reject(warehouseError(error, 'connecting', 'WarehouseCredentialsRejected')) : resolve()))
      .catch((error: unknown) => reject(warehouseError(error, 'connecting', 'WarehouseCredentialsRejected')));
  });
}

function warehouse(connection: Connection, unknownStatementMillis: number): Warehouse {
  let submitted = false;

  const execute = (sqlText: string, binds: Binds | undefined, asyncExec: boolean) =>
    new Promise<{ statement: RowStatement; rows: Row[] }>((resolve, reject) => {
      connection.execute({
        sqlText,
        asyncExec,
        ...(binds && { binds }),
        complete: (error, statement, rows) =>
          error ? reject(warehouseError(error, firstWords(sqlText))) : resolve({ statement, rows: rows ?? [] }),
      });
    });

  /** The SDK counts BLOCKED (waiting for a lock) as an error, so the status is read before it may throw. */
  const statusOf = async (queryId: string): Promise<string> => {
    for (const since = Date.now(); ; await setTimeout(500)) {
      const status = await connection.getQueryStatus(queryId);
      if (!unknown.includes(status) || Date.now() - since >= unknownStatementMillis) return status;
    }
  };

  return {
    query: async (sql, binds) => (await execute(sql, binds, false)).rows,
    queryExact: (sqlText) =>
      new Promise((resolve, reject) => {
        connection.execute({
          sqlText,
          fetchAsString: ['Number'],
          rowMode: 'array',
          complete: (error, statement, rows) => {
            if (error) return reject(warehouseError(error, firstWords(sqlText)));
            const columns = (statement.getColumns() ?? []).map((column) => ({
              name: column.getName(),
              type: column.getType(),
              precision: column.getPrecision() ?? null,
              scale: column.getScale() ?? null,
            }));
            resolve({ columns, rows: (rows ?? []) as unknown as unknown[][] });
          },
        });
      }),
    submit: async (sql, binds) => {
      submitted = true;
      const queryId: string | undefined = (await execute(sql, binds, true)).statement.getQueryId();
      if (!queryId) throw new FirnError('WarehouseStatementFailed', `Snowflake, ${firstWords(sql)}: was not started`);
      return queryId;
    },
    status: async (queryId) => {
      try {
        const status = await statusOf(queryId);
        if (status === 'SUCCESS') return 'SUCCEEDED';
        if (running.includes(status)) return 'RUNNING';
        // It is to be submitted again: whoever waited for it would wait for ever.
        if (unknown.includes(status))
          return { failed: new FirnError('WarehouseUnreachable', `Snowflake no longer knows query ${queryId}: it is submitted again.`) };
        await connection.getQueryStatusThrowIfError(queryId);
        return { failed: new FirnError('WarehouseStatementFailed', `Snowflake, query ${queryId}: ${status}`) };
      } catch (error) {
        const mapped = warehouseError(error, `query ${queryId}`);
        if (mapped.code === 'WarehouseUnreachable' || mapped.code === 'WarehouseCredentialsRejected') throw mapped;
        return { failed: mapped };
      }
    },
    result: (queryId) =>
      new Promise((resolve, reject) => {
        connection.fetchResult({
          queryId,
          complete: (error: SnowflakeError | undefined, _statement: RowStatement, rows?: Row[]) =>
            error ? reject(warehouseError(error, `query ${queryId}`)) : resolve(rows ?? []),
        });
      }),
    close: async () => {
      // Logging out would abort the statements that the session has submitted; Snowflake ends an idle session by itself.
      if (submitted) return;
      await new Promise<void>((resolve) => connection.destroy(() => resolve()));
    },
  };
}

const firstWords = (sql: string): string => sql.trim().split(/\s+/).slice(0, 4).join(' ').slice(0, 80);
