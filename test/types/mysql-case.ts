import type { Policies } from '../../core/source/mysql/types.js';

/** A value of MySQL and what becomes of it. A new type or edge is a new row. */
export interface MysqlCase {
  type: string;
  /** SQL expression, inserted with an empty sql_mode but ALLOW_INVALID_DATES. */
  sql: string;
  /** The value in the Parquet file, as DuckDB prints it; null: NULL. Binary in hexadecimal. */
  value: string | null;
  /** Snowflake type in staging. */
  staging: string;
  policies?: Partial<Policies>;
  /** What the local Snowflake shows of it in staging, where that differs from `value`. */
  shown?: string;
}

/** A value that the defaults, or these policies, refuse. */
export interface MysqlRefusal {
  type: string;
  sql: string;
  message: RegExp;
  policies?: Partial<Policies>;
}

/** Cases of one type: expression, value, and what staging shows where that differs. */
export function of(
  type: string,
  staging: string,
  values: readonly (readonly [sql: string, value: string | null, shown?: string])[],
  policies?: Partial<Policies>,
): MysqlCase[] {
  return values.map(([sql, value, shown]) => ({
    type,
    sql,
    value,
    staging,
    ...(policies && { policies }),
    ...(shown !== undefined && { shown }),
  }));
}

/** Cases whose value in the file is the number as it is written. */
export const same = (type: string, staging: string, values: readonly string[], policies?: Partial<Policies>): MysqlCase[] =>
  of(
    type,
    staging,
    values.map((text) => [text, text] as const),
    policies,
  );
