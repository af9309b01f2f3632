import type { ConnectionOptions } from 'node:tls';
import pg, { type Client, type ClientBase, type QueryResultRow } from 'pg';
import { z } from 'zod';
import { CopySocket } from './copy-socket.js';
import { type Address, asSourceError } from './errors.js';

/** The source's secret. `sslmode` as in libpq; `sslrootcert` holds the CA's certificates as PEM text. */
export const postgresSecretSchema = z.object({
  host: z.string().min(1),
  port: z.coerce.number().int().min(1).max(65_535).default(5432),
  user: z.string().min(1),
  password: z.string(),
  database: z.string().min(1),
  sslmode: z.enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']).default('require'),
  sslrootcert: z.string().optional(),
  /** Stands before each text that `columns.mask` hashes. */
  mask_salt: z.string().optional(),
});
export type PostgresSecret = z.infer<typeof postgresSecretSchema>;

const connectTimeoutMs = 15_000;

/** What libpq's documentation says of each sslmode: `require` verifies only when a CA is given. */
function tlsOptions({ sslmode, sslrootcert: ca }: PostgresSecret): false | ConnectionOptions {
  if (sslmode === 'disable') return false;
  if (sslmode === 'verify-full') return { ca, rejectUnauthorized: true };
  const verify = sslmode === 'verify-ca' || ca !== undefined;
  return verify ? { ca, rejectUnauthorized: true, checkServerIdentity: () => undefined } : { rejectUnauthorized: false };
}

/** @throws FirnError SourceUnreachable, SourceBusy, SourceCredentialsRejected, SourceTlsFailed */
export async function connect(secret: PostgresSecret): Promise<Client> {
  const ssl = tlsOptions(secret);
  try {
    return await open(secret, ssl);
  } catch (error) {
    const plainAllowed = secret.sslmode === 'prefer' || secret.sslmode === 'allow';
    if (!(plainAllowed && error instanceof Error && /does not support SSL/.test(error.message))) throw asSourceError(error, secret, false);
  }
  return open(secret, false).catch((error: unknown) => {
    throw asSourceError(error, secret, false);
  });
}

async function open(secret: PostgresSecret, ssl: false | ConnectionOptions): Promise<Client> {
  const { host, port, user, password, database } = secret;
  const client = new pg.Client({
    host,
    port,
    user,
    password,
    database,
    ssl,
    stream: () => new CopySocket(),
    application_name: 'firn',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
  });
  // A connection that breaks between two queries is reported by the next one.
  client.on('error', () => {});
  await client.connect();
  return client;
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
export async function cancelQuery(client: Client, secret: PostgresSecret): Promise<void> {
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
