import type { ErrorCode, FirnError } from '../../errors.js';
import { type Address, sourceError } from '../source-error.js';

/** SQLSTATE → code. Source: PostgreSQL documentation, appendix A. */
export const sqlStates: Record<string, ErrorCode> = {
  '28000': 'SourceCredentialsRejected',
  '28P01': 'SourceCredentialsRejected',
  '3D000': 'SourceCredentialsRejected',
  '53300': 'SourceBusy',
  '55P03': 'SourceBusy',
  '57P03': 'SourceUnreachable',
  '57P01': 'SourceConnectionLost',
  '57P02': 'SourceConnectionLost',
  // A standby cancels readers that hold back its recovery.
  '40001': 'SourceConnectionLost',
  // Text that is not what its encoding says, or has no counterpart in UTF-8.
  '22021': 'ValueOutOfRange',
  '22P05': 'ValueOutOfRange',
  '42501': 'SourcePermissionDenied',
  '42P01': 'SourceTableMissing',
  '3F000': 'SourceTableMissing',
};

const tlsCodes = /^(ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH|INVALID_CA|ERR_OSSL)/;
const networkCodes = /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET|EPIPE|EADDR)/;

function codeOf(error: { code?: unknown; message: string }, connected: boolean): ErrorCode {
  const code = typeof error.code === 'string' ? error.code : '';
  // "no pg_hba.conf entry for host …, no encryption" is an answer to the sslmode, not to the password.
  if (code === '28000' && /no encryption|SSL off/.test(error.message)) return 'SourceTlsFailed';
  const known = sqlStates[code];
  if (known) return known;
  if (/^08/.test(code)) return 'SourceConnectionLost';
  if (tlsCodes.test(code) || /SSL|TLS|certificate/i.test(error.message)) return connected ? 'SourceConnectionLost' : 'SourceTlsFailed';
  if (networkCodes.test(code) || /terminated|not queryable|was closed|timeout expired/.test(error.message)) {
    return connected ? 'SourceConnectionLost' : 'SourceUnreachable';
  }
  return 'SourceQueryFailed';
}

/** An error of the driver, the network or the server as a FirnError that says where it happened. `connected`: after the handshake. */
export function asSourceError(error: unknown, address: Address, connected = true): FirnError {
  return sourceError('PostgreSQL', error, address, (cause) => codeOf(cause, connected));
}
