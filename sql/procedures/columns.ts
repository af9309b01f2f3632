import type { HeldColumn } from '../../core/warehouse/ddl.js';
import { query, type Snowflake } from './session.js';

/** Columns of a table or view, in their order; none when it does not exist. */
export function columnsOf(snowflake: Snowflake, schema: string, table: string): HeldColumn[] {
  return query(
    snowflake,
    `SELECT column_name AS NAME, data_type AS DATA_TYPE, numeric_precision AS NUM_PRECISION, numeric_scale AS NUM_SCALE,
  character_maximum_length AS CHAR_LENGTH
FROM INFORMATION_SCHEMA.COLUMNS WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`,
    [schema, table],
  ).map((row) => ({
    name: String(row.NAME),
    dataType: String(row.DATA_TYPE),
    precision: row.NUM_PRECISION as number | null,
    scale: row.NUM_SCALE as number | null,
    length: row.CHAR_LENGTH as number | null,
  }));
}
