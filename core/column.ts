import * as z from 'zod';

/**
 * Physical and logical type of a Parquet leaf column.
 * Source: parquet-format, LogicalTypes.md.
 */
export const parquetTypeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('boolean') }),
  z.object({ kind: z.literal('int32') }),
  z.object({ kind: z.literal('int64') }),
  z.object({ kind: z.literal('float') }),
  z.object({ kind: z.literal('double') }),
  /** INT32 for precision ≤ 9, INT64 for ≤ 18, else FIXED_LEN_BYTE_ARRAY(16). */
  z.object({ kind: z.literal('decimal'), precision: z.int().min(1).max(38), scale: z.int().min(0).max(37) }),
  z.object({ kind: z.literal('date') }),
  /** INT64 microseconds since midnight, isAdjustedToUTC = false. */
  z.object({ kind: z.literal('time') }),
  /** INT64 microseconds since 1970-01-01; `utc` is isAdjustedToUTC. */
  z.object({ kind: z.literal('timestamp'), utc: z.boolean() }),
  z.object({ kind: z.literal('string') }),
  z.object({ kind: z.literal('json') }),
  z.object({ kind: z.literal('binary') }),
]);
export type ParquetType = z.infer<typeof parquetTypeSchema>;

/** One column on its way from the source through Parquet and raw to staging. */
export const columnSchema = z.object({
  /** Name at the source, exactly. */
  name: z.string().min(1),
  /** Name in the Parquet file, in raw and in staging, exactly; quoted wherever it stands in SQL. */
  target: z.string().min(1),
  /** Type as the source prints it, e.g. `numeric(12,2)`. */
  sourceType: z.string(),
  /**
   * What the column is at the source, whatever it is named: its number in the table, which is never given twice, and its type's oid and
   * modifier. Absent where the source has none, and in plans of older versions.
   */
  attnum: z.int().optional(),
  typeOid: z.int().optional(),
  typmod: z.int().optional(),
  nullable: z.boolean(),
  parquet: parquetTypeSchema,
  /** Snowflake type of the column in raw. */
  raw: z.string(),
  /** Snowflake type of the column in staging. */
  staging: z.string(),
  /**
   * How MERGE turns the raw value into the staging value: as it is; PARSE_JSON (raw VARCHAR → VARIANT);
   * CONVERT_TIMEZONE('UTC', …) (raw TIMESTAMP_LTZ → TIMESTAMP_TZ with an explicit offset, whatever the session's zone).
   */
  convert: z.enum(['none', 'parse_json', 'utc']),
  /** What becomes of a value that the type cannot hold (numeric NaN, dates that are infinite, BC or beyond 9999). Default: error. */
  unrepresentable: z.enum(['error', 'null', 'clamp']).optional(),
  /** What the source sends in place of the value. */
  mask: z.enum(['sha256', 'null']).optional(),
});
export type Column = z.infer<typeof columnSchema>;

export { systemColumns } from './system-columns.js';

/** `_FIRN_ORDER` of rows read by a query: the run number of the table (the fence), as text that sorts like the number. */
export function queryOrder(fence: number): string {
  return `${fence.toString(16).padStart(16, '0')}/${'0'.repeat(16)}`;
}

/** The run number in an order that `queryOrder` made. */
export const fenceOfOrder = (order: string): number => Number.parseInt(order.slice(0, 16), 16);
