import type { Chunk } from '../../plan/plan.js';
import type { SparkQuery, SparkRead } from '../source.js';
import { describeAddress } from '../source-error.js';
import { connect, settings } from './connection.js';
import { codes } from './errors.js';
import { estimateRead } from './estimate.js';
import { conditions, quoteIdentifier, selectExpression, selectStatement } from './query.js';
import { type Reading, readingsOf, refuseNullCursor } from './readings.js';

/**
 * The statement of the extractor as a query by JDBC: the same rows, and each value in a form that Connector/J, Java and Spark pass on as it
 * is. UTF-8 as bytes for text, text for decimals and 64 bits without a sign, integers for dates and times, counted from 2000-01-01.
 *
 * One statement in autocommit is one snapshot, as its session's isolation says, and keeps others from altering or truncating the table
 * until it ends.
 * @throws FirnError SchemaChangedDuringRun, CursorIsNull, Source…
 */
export async function sparkQuery({ connection, relation, columns, where }: SparkRead, chunks: readonly Chunk[]): Promise<SparkQuery> {
  const session = await connect(connection);
  try {
    const readings = await readingsOf(session, relation, columns);
    await refuseNullCursor(session, relation, { ...where, chunk: null }, readings);
    const { rowFilter, cursor } = where;
    const estimate = await estimateRead(session, { relation, columns: [...columns], rowFilter, cursor });
    const readOnly = session.isMariaDb ? 'tx_read_only = 1' : 'transaction_read_only = 1';
    // Without the merge of Spark's outer query, each chunk would read the whole table.
    const more = [readOnly, "optimizer_switch = 'derived_merge=on'"];
    return {
      session: `SET NAMES utf8mb4, ${[...settings(session), ...more].join(', ')}`,
      query: selectStatement(relation, expressions(readings, chunks), { ...where, chunk: null }),
      conditions: chunks.map((chunk) => conditions({ rowFilter: null, cursor: null, chunk }).join(' AND ') || 'TRUE'),
      clock: `SELECT DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ') AS at`,
      sqlStates: { ...codes, ...ofDriver },
      address: `MySQL at ${describeAddress(connection)}`,
      rowBytes: estimate.rows === 0 ? 0 : estimate.bytes / estimate.rows,
    };
  } finally {
    await session.connection.end().catch(() => {});
  }
}

/** What Connector/J reports of connections. 1044: no access to the database, which is asked for at the login alone. */
const ofDriver = {
  1044: 'SourceCredentialsRejected',
  '08001': 'SourceUnreachable',
  '08': 'SourceConnectionLost',
  tls: 'SourceTlsFailed',
} as const;

/** Columns as `_firn_0`, `_firn_1`, …, then by their own names those that the chunks are ranges of. */
function expressions(readings: readonly Reading[], [chunk]: readonly Chunk[]): string[] {
  const values = readings.map((reading, index) => `${travelExpression(reading)} AS _firn_${index}`);
  const ranges = chunk?.key?.columns ?? (chunk?.column ? [chunk.column] : []);
  return [...values, ...ranges.map(quoteIdentifier)];
}

/** Text of any charset as its bytes in UTF-8: no charset of Java has a say in it. */
const utf8 = (expression: string): string => `CAST(CONVERT(${expression} USING utf8mb4) AS BINARY)`;
const integer = (expression: string): string => `CAST(${expression} AS SIGNED)`;

function travelExpression({ column: { name }, selection, decoder }: Reading): string {
  const column = quoteIdentifier(name);
  const selected = selectExpression(name, selection);
  switch (decoder.kind) {
    case 'integer':
      return decoder.to === 'w16' ? `CAST(${column} AS CHAR)` : integer(column);
    case 'bits':
      return decoder.to === 'w16' ? `CAST(CAST(${column} AS UNSIGNED) AS CHAR)` : integer(column);
    case 'boolean':
      return integer(column);
    case 'float':
      // All its digits, as a double: its own text has six.
      return `(${column} + 0e0)`;
    case 'decimal':
    case 'decimalDouble':
      return `CAST(${column} AS CHAR)`;
    case 'date':
      return calendar(column, column, '1', '0', '1000000000');
    case 'datetime':
      return calendar(column, `DATE(${column})`, '86400000000', microseconds(column), '2000000000000000000');
    case 'time':
      return integer(`IF(${column} < TIME '00:00:00', -1, 1) * (${microseconds(column)})`);
    case 'duration':
      return utf8(`CAST(${column} AS CHAR)`);
    case 'bytes':
      return utf8(selected);
    case 'geometry':
      // Before the WKB stands its SRID.
      return `SUBSTRING(CAST(${column} AS BINARY), 5)`;
    case 'double':
    case 'converted':
    case 'binary':
      return selected;
  }
}

const microseconds = (time: string): string =>
  `(HOUR(${time}) * 3600 + MINUTE(${time}) * 60 + SECOND(${time})) * 1000000 + MICROSECOND(${time})`;

/**
 * Days from 2000-01-01, `each` units long, and `rest` units. A date that no calendar has ('0000-00-00', '2000-02-31') is told by its parts,
 * as (13 years + months) × 32 + days, in a number that is farther than `apart` from any date.
 */
function calendar(column: string, date: string, each: string, rest: string, apart: string): string {
  const parts = `(YEAR(${column}) * 13 + MONTH(${column})) * 32 + DAY(${column})`;
  return integer(
    `CASE WHEN FROM_DAYS(TO_DAYS(${column})) = ${date} THEN (TO_DAYS(${column}) - 730485) * ${each} + ${rest} WHEN ${column} IS NOT NULL THEN -${apart} - ((${parts}) * ${each} + ${rest}) END`,
  );
}
