import type { Policies } from '../../core/source/postgres/types.js';

/** A value of PostgreSQL and what becomes of it. A new type or edge is a new row. */
export interface TypeCase {
  type: string;
  /** SQL expression, cast to the type. */
  sql: string;
  /** The value in the Parquet file, as DuckDB prints it (no zero before a point, where the type leaves no room for one); null: NULL. Binary in hexadecimal. */
  value: string | null;
  /** Snowflake type in staging. */
  staging: string;
  policies?: Partial<Policies>;
  /** It is another number than at the source, by `unbounded_numeric: float`. */
  counted?: true;
  /** What the local Snowflake shows of it in staging, where that differs from `value`. */
  shown?: string;
}

/** A value that the defaults, or these policies, refuse. */
export interface RefusedCase {
  type: string;
  sql: string;
  message: RegExp;
  policies?: Partial<Policies>;
}

export const nullDates = { date_out_of_range: 'null' } as const;
export const clampDates = { date_out_of_range: 'clamp' } as const;
