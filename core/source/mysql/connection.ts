import { addAbortSignal } from 'node:stream';
import mysql, { type Connection, type ConnectionOptions, type RowDataPacket } from 'mysql2/promise';
import { ReadSocket } from '../read-socket.js';
import { type SourceSecret, sourceSecretSchema } from '../secret.js';
import { asSourceError } from './errors.js';

export const mysqlSecretSchema = sourceSecretSchema(3306);

/** A connection and what the statements of the two servers depend on. */
export interface Session {
  connection: Connection;
  secret: SourceSecret;
  isMariaDb: boolean;
}

const connectTimeoutMs = 15_000;
/** Seconds for which the server waits while we do not read, because S3 is slow. Its default is 60. */
const writeTimeout = 3600;

/** As libpq does: `require` verifies only when a CA is given. */
function tlsOptions({ sslmode, sslrootcert: ca }: SourceSecret): ConnectionOptions['ssl'] {
  if (sslmode === 'disable') return undefined;
  const verifyIdentity = sslmode === 'verify-full';
  return { ca, rejectUnauthorized: verifyIdentity || sslmode === 'verify-ca' || ca !== undefined, verifyIdentity };
}

/**
 * Opens a session in autocommit with fixed settings: UTC, utf8mb4, an empty sql_mode, no time limits.
 * An abort gives up the opening with whatever error the driver makes of it; an open session does not mind it.
 * @throws FirnError SourceUnreachable, SourceBusy, SourceCredentialsRejected, SourceTlsFailed
 */
export async function connect(secret: SourceSecret, signal?: AbortSignal): Promise<Session> {
  const opening = new AbortController();
  const giveUp = (): void => opening.abort();
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return await begin(await handshake(secret, opening.signal), secret);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

async function begin(connection: Connection, secret: SourceSecret): Promise<Session> {
  // A connection that breaks between two queries is reported by the next one.
  connection.on('error', () => {});
  const session = { connection, secret, isMariaDb: false };
  try {
    const [row] = await query<{ version: string }>(session, 'SELECT VERSION() AS version');
    session.isMariaDb = /mariadb/i.test(row!.version);
    await query(session, 'SET NAMES utf8mb4');
    await query(session, `SET ${settings(session).join(', ')}`);
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return session;
}

/**
 * What the text of a value, the meaning of a row filter or the length of a read depends on. PAD_CHAR_TO_FULL_LENGTH, ANSI_QUOTES and
 * NO_BACKSLASH_ESCAPES of the server's own sql_mode would change them.
 */
export function settings({ isMariaDb }: Pick<Session, 'isMariaDb'>): string[] {
  const common = ["time_zone = '+00:00'", "sql_mode = ''", `net_write_timeout = ${writeTimeout}`, 'sql_auto_is_null = 0'];
  return isMariaDb
    ? [...common, 'max_statement_time = 0', "tx_isolation = 'REPEATABLE-READ'"]
    : [...common, 'max_execution_time = 0', "transaction_isolation = 'REPEATABLE-READ'", 'information_schema_stats_expiry = 0'];
}

async function handshake(secret: SourceSecret, opening?: AbortSignal): Promise<Connection> {
  const ssl = tlsOptions(secret);
  try {
    return await open(secret, ssl, opening);
  } catch (error) {
    const plainAllowed = secret.sslmode === 'prefer' || secret.sslmode === 'allow';
    if (!(plainAllowed && (error as { code?: string }).code === 'HANDSHAKE_NO_SSL_SUPPORT')) throw asSourceError(error, secret, false);
  }
  return open(secret, undefined, opening).catch((error: unknown) => {
    throw asSourceError(error, secret, false);
  });
}

function open(
  { host, port, user, password, database }: SourceSecret,
  ssl: ConnectionOptions['ssl'],
  opening?: AbortSignal,
): Promise<Connection> {
  const socket = (): ReadSocket => {
    const made = new ReadSocket().setNoDelay(true).setKeepAlive(true, 30_000).connect(port, host);
    return opening === undefined ? made : addAbortSignal(opening, made);
  };
  return mysql.createConnection({
    host,
    port,
    user,
    password,
    database,
    ssl,
    charset: 'UTF8MB4_GENERAL_CI',
    connectTimeout: connectTimeoutMs,
    connectAttributes: { program_name: 'firn' },
    stream: socket,
    dateStrings: true,
    // A server that asks for a local file gets none.
    flags: ['-LOCAL_FILES'],
  });
}

/** Rows of one query, with integers beyond 2^53 lost: select those as text. @throws FirnError as asSourceError maps it */
export async function query<Row extends object>({ connection, secret }: Session, sql: string, values?: unknown[]): Promise<Row[]> {
  try {
    const [rows] = await connection.query<(Row & RowDataPacket)[]>(sql, values as never);
    return rows;
  } catch (error) {
    throw asSourceError(error, secret);
  }
}

/**
 * Ends the session whatever it is doing, and tells its command. mysql2's own destroy only says goodbye, waits for rows that nobody reads
 * any more, and tells nobody.
 */
export function drop({ connection }: Session): void {
  (connection as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** Asks the server to stop the session's running query, then drops the connection. Resolves when both are done; never throws. */
export async function cancelQuery(session: Session): Promise<void> {
  const { threadId } = session.connection as unknown as { threadId: number };
  const killer = await handshake(session.secret).catch(() => null);
  await killer?.query(`KILL QUERY ${threadId}`).catch(() => {});
  drop(session);
  killer?.destroy();
}
