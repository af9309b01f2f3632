import { type ErrorCode, FirnError } from '../../errors.js';

/** Where the error happened, for its message. */
export interface Address {
  host: string;
  port: number;
  database?: string | undefined;
}

/** Error number → code. Source: MySQL 8.4 error message reference; MariaDB's numbers below 1900 are the same. */
const numbers: Record<number, ErrorCode> = {
  1040: 'SourceBusy',
  1203: 'SourceBusy',
  1205: 'SourceBusy',
  1226: 'SourceBusy',
  1045: 'SourceCredentialsRejected',
  1049: 'SourceCredentialsRejected',
  1130: 'SourceCredentialsRejected',
  1251: 'SourceCredentialsRejected',
  1698: 'SourceCredentialsRejected',
  1820: 'SourceCredentialsRejected',
  3118: 'SourceCredentialsRejected',
  3159: 'SourceTlsFailed',
  1053: 'SourceConnectionLost',
  1317: 'SourceConnectionLost',
  // MariaDB: connection was killed; MySQL: disconnected by the server.
  1927: 'SourceConnectionLost',
  4031: 'SourceConnectionLost',
  1142: 'SourcePermissionDenied',
  1143: 'SourcePermissionDenied',
  1227: 'SourcePermissionDenied',
  1356: 'SourcePermissionDenied',
  1146: 'SourceTableMissing',
  // A table that was altered after the snapshot was taken.
  1412: 'SchemaChangedDuringRun',
  1054: 'SourceQueryFailed',
};

const tlsCodes = /^(ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH|INVALID_CA|ERR_OSSL|HANDSHAKE_)/;
const networkCodes = /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET|EPIPE|EADDR|PROTOCOL_|ER_NET_)/;

function codeOf({ errno, code = '', message }: { errno?: number; code?: string; message: string }, connected: boolean): ErrorCode {
  // Without a database at the login it is the user that is refused, later it is the table.
  if (errno === 1044) return connected ? 'SourcePermissionDenied' : 'SourceCredentialsRejected';
  const known = errno === undefined ? undefined : numbers[errno];
  if (known) return known;
  if (code === 'AUTH_SWITCH_PLUGIN_ERROR') return 'SourceCredentialsRejected';
  if (tlsCodes.test(code) || /SSL|TLS|certificate/.test(message)) return connected ? 'SourceConnectionLost' : 'SourceTlsFailed';
  if (networkCodes.test(code) || /closed state|Connection lost/.test(message))
    return connected ? 'SourceConnectionLost' : 'SourceUnreachable';
  return 'SourceQueryFailed';
}

/** Host, port and database, never user or password. */
export function describeAddress({ host, port, database }: Address): string {
  return `${host}:${port}${database === undefined ? '' : `, database ${database}`}`;
}

/** An error of the driver, the network or the server as a FirnError that says where it happened. `connected`: after the handshake. */
export function asSourceError(error: unknown, address: Address, connected = true): FirnError {
  if (error instanceof FirnError) return error;
  // Several addresses of one host failed: Node wraps them.
  const first: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  const cause = first instanceof Error ? first : new Error(String(first));
  return new FirnError(codeOf(cause, connected), `MySQL at ${describeAddress(address)}: ${cause.message || String(first)}`, {
    cause: error,
  });
}
