import type { ErrorCode } from '../../core/errors.js';

/** What Snowflake gives a JavaScript procedure. Source: Snowflake documentation, "JavaScript stored procedures API". */
export interface Snowflake {
  createStatement(options: { sqlText: string; binds?: Bind[] }): Statement;
}
export type Bind = string | number | boolean | null;
interface Statement {
  execute(): ResultSet;
  getColumnCount(): number;
  getColumnName(index: number): string;
}
interface ResultSet {
  next(): boolean;
  getColumnValue(index: number): unknown;
}

export type Row = Record<string, unknown>;

/** Runs one statement; rows by column name. VARIANTs come parsed. */
export function query(snowflake: Snowflake, sqlText: string, binds: Bind[] = []): Row[] {
  const statement = snowflake.createStatement(binds.length > 0 ? { sqlText, binds } : { sqlText });
  const result = statement.execute();
  const rows: Row[] = [];
  while (result.next()) {
    const row: Row = {};
    for (let i = 1; i <= statement.getColumnCount(); i++) row[statement.getColumnName(i)] = result.getColumnValue(i);
    rows.push(row);
  }
  return rows;
}

/** The numbers of the first row, in order: what DML answers. */
export function counts(snowflake: Snowflake, sqlText: string): number[] {
  return Object.values(query(snowflake, sqlText)[0] ?? {}).map(Number);
}

/** Ends the procedure with an error that the caller reads back (core/warehouse/procedure-error.ts). */
export function fail(code: ErrorCode, text: string): never {
  throw new Error(`FIRN:${code}: ${text.replace(/\s+/g, ' ')}`);
}

/** Runs `work` in one transaction: all of it or nothing. DDL must not stand in it, because it commits. */
export function inTransaction<T>(snowflake: Snowflake, work: () => T): T {
  query(snowflake, 'BEGIN TRANSACTION');
  try {
    const answer = work();
    query(snowflake, 'COMMIT');
    return answer;
  } catch (error) {
    // What went wrong is to be told, also when this fails: an open transaction ends with the procedure.
    attempt(snowflake, 'ROLLBACK');
    throw error;
  }
}

/** Runs a statement whose failure changes nothing. */
export function attempt(snowflake: Snowflake, sqlText: string): void {
  try {
    query(snowflake, sqlText);
  } catch {}
}
