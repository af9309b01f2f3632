import type { ConnectionOptions } from 'node:tls';
import pg, { type Client, type ClientBase, type QueryResultRow } from 'pg';
import { ReadSocket } from '../read-socket.js';
import { type SourceSecret, sourceSecretSchema } from '../secret.js';
import type { Address } from '../source-error.js';
import { asSourceError } from './errors.js';

export const postgresSecretSchema = sourceSecretSchema(5432);

const connectTimeoutMs = 15_000;

/** What libpq's documentation says of each sslmode: `require` verifies only when a CA is given. */
function tlsOptions({ sslmode, sslrootcert: ca }: SourceSecret): false | ConnectionOptions {
  if (sslmode === 'disable') return false;
  if (sslmode === 'verify-full') return { ca, rejectUnauthorized: true };
  const verify = sslmode === 'verify-ca' || ca !== undefined;
  return verify ? { ca, rejectUnauthorized: true, checkServerIdentity: () => undefined } : { rejectUnauthorized: false };
}

/**
 * An abort ends the opening (SourceUnreachable), not the session.
 * @throws FirnError SourceUnreachable, SourceBusy, SourceCredentialsRejected, SourceTlsFailed
 */
export async function connect(secret: SourceSecret, signal?: AbortSignal): Promise<Client> {
  const ssl = tlsOptions(secret);
  try {
    return await open(secret, ssl, signal);
  } catch (error) {
    const plainAllowed = secret.sslmode === 'prefer' || secret.sslmode === 'allow';
    if (!(plainAllowed && error instanceof Error && /does not support SSL/.test(error.message))) throw asSourceError(error, secret, false);
  }
  return open(secret, false, signal).catch((error: unknown) => {
    throw asSourceError(error, secret, false);
  });
}

async function open(secret: SourceSecret, ssl: false | ConnectionOptions, signal?: AbortSignal): Promise<Client> {
  refuseAborted(signal);
  const { host, port, user, password, database } = secret;
  const socket = new ReadSocket();
  const client = new pg.Client({
    host,
    port,
    user,
    password,
    database,
    ssl,
    stream: () => socket,
    application_name: 'firn',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
  });
  // A connection that breaks between two queries is reported by the next one.
  client.on('error', () => {});
  const drop = (): void => void socket.destroy();
  signal?.addEventListener('abort', drop, { once: true });
  try {
    await client.connect();
    refuseAborted(signal);
  } catch (error) {
    drop();
    throw error;
  } finally {
    signal?.removeEventListener('abort', drop);
  }
  return client;
}

/** As pg says it of a connection that was dropped while it was opened. */
function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Error('Connection terminated');
}

export function addressOf(client: ClientBase): Address {
  const { host, port, database } = client as Client;
  return { host, port, database };
}

/** Rows of one query. @throws FirnError as asSourceError maps it */
export async function query<Row extends QueryResultRow>(client: ClientBase, text: string, values?: unknown[]): Promise<Row[]> {
  try {
    return (await client.query<Row>(text, values)).rows;
  } catch (error) {
    throw asSourceError(error, addressOf(client));
  }
}

interface RawConnection {
  connect(port: number, host: string): void;
  requestSsl(): void;
  cancel(pid: number, key: number): void;
  on(event: 'connect' | 'sslconnect' | 'end' | 'error', listener: () => void): void;
  stream: { destroy(): void };
}

/** Asks the server to stop the client's running query, then drops the connection. Resolves when both are done; never throws. */
export async function cancelQuery(client: Client, secret: SourceSecret): Promise<void> {
  const { processID, secretKey, connection, ssl } = client as unknown as {
    processID: number;
    secretKey: number;
    connection: { stream: { destroy(): void } };
    ssl: false | ConnectionOptions;
  };
  const canceller = new (pg as unknown as { Connection: new (config: object) => RawConnection }).Connection({ ssl });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 2000);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    canceller.on('error', done);
    canceller.on('end', done);
    canceller.on('connect', () => (ssl ? canceller.requestSsl() : canceller.cancel(processID, secretKey)));
    canceller.on('sslconnect', () => canceller.cancel(processID, secretKey));
    canceller.connect(secret.port, secret.host);
  });
  canceller.stream.destroy();
  connection.stream.destroy();
}
