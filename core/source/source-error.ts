import { type ErrorCode, FirnError } from '../errors.js';

/** Where an error happened, for its message. */
export interface Address {
  host: string;
  port: number;
  database?: string | undefined;
}

/** Host, port and database, never user or password. */
export function describeAddress({ host, port, database }: Address): string {
  return `${host}:${port}${database === undefined ? '' : `, database ${database}`}`;
}

/** What a driver, the network or a server throws, as a FirnError that says where it happened: `server` names the product. */
export function sourceError<E extends Error>(server: string, error: unknown, address: Address, codeOf: (error: E) => ErrorCode): FirnError {
  if (error instanceof FirnError) return error;
  // Several addresses of one host failed: Node wraps them.
  const first: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  const cause = first instanceof Error ? first : new Error(String(first));
  return new FirnError(codeOf(cause as E), `${server} at ${describeAddress(address)}: ${cause.message || String(first)}`, { cause: error });
}
