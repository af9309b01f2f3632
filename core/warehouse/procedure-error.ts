import { FirnError, isErrorCode } from '../errors.js';

/**
 * The typed error inside the message of a failed CALL. Firn's procedures throw `FIRN:<Code>: <text>`; Snowflake wraps it as
 * `JavaScript execution error: Uncaught Error: FIRN:… in PROCESS_TABLE at 'throw …' position 8\nstackstrace: …`.
 */
export function procedureError(message: string, cause?: unknown): FirnError | undefined {
  const match = /FIRN:(\w+): (.*?)(?: in [A-Z_]+(?: at '.*)?)?\s*(?:\n|$)/.exec(message);
  const [, code = '', text = ''] = match ?? [];
  return isErrorCode(code) ? new FirnError(code, text, { cause }) : undefined;
}

/** What a statement inside a procedure failed with, without the procedure's stack trace; other messages as they are. */
export function withoutProcedureStack(message: string): string {
  return message.replace(
    /^JavaScript execution error: (?:Uncaught )?(?:Error: )?([\s\S]*?)(?: in [\w.]+(?: at '[\s\S]*)?)?(?:\s*stackstrace:[\s\S]*)?$/,
    '$1',
  );
}
