import { FirnError } from '../../core/errors.js';

/** What went wrong, without a stack unless FIRN_DEBUG=1. */
export function describeFailure(error: unknown): string {
  if (process.env.FIRN_DEBUG === '1') return String((error as Error).stack ?? error);
  if (error instanceof FirnError) return `${error.code}: ${error.message}\n  ${error.toRecord().action}`;
  return error instanceof Error ? error.message : String(error);
}
