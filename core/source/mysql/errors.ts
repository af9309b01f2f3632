import type { ErrorCode, FirnError } from '../../errors.js';
import { type Address, sourceError } from '../source-error.js';

/** Error number → code. Source: MySQL 8.4 error message reference; MariaDB's numbers below 1900 are the same. */
export const codes: Record<number, ErrorCode> = {
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
  const known = errno === undefined ? undefined : codes[errno];
  if (known) return known;
  if (code === 'AUTH_SWITCH_PLUGIN_ERROR') return 'SourceCredentialsRejected';
  if (tlsCodes.test(code) || /SSL|TLS|certificate/.test(message)) return connected ? 'SourceConnectionLost' : 'SourceTlsFailed';
  if (networkCodes.test(code) || /closed state|Connection lost/.test(message))
    return connected ? 'SourceConnectionLost' : 'SourceUnreachable';
  return 'SourceQueryFailed';
}

/** An error of the driver, the network or the server as a FirnError that says where it happened. `connected`: after the handshake. */
export function asSourceError(error: unknown, address: Address, connected = true): FirnError {
  return sourceError('MySQL', error, address, (cause) => codeOf(cause, connected));
}
