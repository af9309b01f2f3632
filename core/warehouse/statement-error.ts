import { type ErrorCode, FirnError } from '../errors.js';
import { procedureError, withoutProcedureStack } from './procedure-error.js';

/** Snowflake's error numbers, as the SDK gives them: with or without leading zeros. */
const codes: Record<number, ErrorCode> = {
  2003: 'WarehousePermissionDenied', // does not exist or not authorized
  2043: 'WarehousePermissionDenied', // object does not exist, or operation cannot be performed
  3001: 'WarehousePermissionDenied', // insufficient privileges
  390100: 'WarehouseCredentialsRejected', // incorrect user name or password
  390101: 'WarehouseCredentialsRejected', // user disabled
  390144: 'WarehouseCredentialsRejected', // JWT token is invalid
  390189: 'WarehouseCredentialsRejected', // role does not exist or is not granted
  390422: 'WarehouseUnreachable', // network policy
  401001: 'WarehouseUnreachable', // network error
  401002: 'WarehouseUnreachable', // server error
  401003: 'WarehouseUnreachable', // malformed response
  405501: 'WarehouseUnreachable', // request retries exceeded
  407002: 'WarehouseUnreachable', // connection already terminated
};

/** Any error of the SDK as a FirnError with one line. `doing` names the step, e.g. `connecting` or the first words of the statement. */
export function warehouseError(error: unknown, doing: string, unknown: ErrorCode = 'WarehouseStatementFailed'): FirnError {
  if (error instanceof FirnError) return error;
  const { message = String(error), code, cause } = error as { message?: string; code?: unknown; cause?: { code?: unknown } };
  const typed = procedureError(message, error);
  if (typed) return typed;
  const text = withoutProcedureStack(message).replace(/\s+/g, ' ').trim();
  // A statement inside a procedure loses its number on the way.
  const missing = /does not exist or not authorized|Insufficient privileges/i.test(text) ? 'WarehousePermissionDenied' : undefined;
  const known = codes[Number(code)] ?? codes[Number(cause?.code)] ?? missing;
  return new FirnError(known ?? unknown, `Snowflake, ${doing}: ${text}`, { cause: error });
}
