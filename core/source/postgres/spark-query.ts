import { FirnError } from '../../errors.js';
import type { Chunk } from '../../plan/plan.js';
import type { SparkQuery, SparkRead } from '../source.js';
import { describeAddress } from '../source-error.js';
import { readTable, type SourceTable } from './catalog.js';
import { connect, query } from './connection.js';
import { sqlStates } from './errors.js';
import { estimateRead } from './estimate.js';
import { type Reading, readingsOf, settings } from './extract-snapshot.js';
import { readExpression } from './mask.js';
import { conditions, nullCursorStatement, quoteIdentifier, quoteRelation, selectExpression, selectStatement } from './query.js';

/**
 * The COPY of the extractor as a query by JDBC: the same rows, and each value in a form that Java and Spark pass on as it is. Text for all
 * that is text in the file and for decimals; integers for dates and times, counted from 2000-01-01 as in PostgreSQL's own binary form,
 * with the least and the greatest for the infinities, since java.sql's calendars change far ones.
 * @throws FirnError SchemaChangedDuringRun, CursorIsNull, Source…
 */
export async function sparkQuery({ connection, relation, columns, where }: SparkRead, chunks: readonly Chunk[]): Promise<SparkQuery> {
  const client = await connect(connection);
  try {
    const table = await readTable(client, relation);
    const readings = await readingsOf(client, table.oid, relation, columns);
    if (connection.mask_salt && columns.some(({ mask }) => mask === 'sha256')) {
      throw new FirnError(
        'ConfigInvalid',
        `${relation.schema}.${relation.table}: engine glue cannot hash with the mask_salt of the secret: set engine: lambda.`,
      );
    }
    const { cursor } = where;
    if (cursor?.onNull === 'error') {
      const [found] = await query(client, nullCursorStatement(relation, cursor.column, { ...where, chunk: null }));
      if (found) throw new FirnError('CursorIsNull', `${relation.schema}.${relation.table}: column ${cursor.column} is NULL in some rows.`);
    }
    const estimate = await estimateRead(client, { relation, columns: [...columns], rowFilter: where.rowFilter, cursor });
    return {
      session: sessionStatements(relation, table).join('; '),
      query: escapeMarks(selectStatement(relation, expressions(readings, chunks), { ...where, chunk: null })),
      conditions: chunks.map((chunk) => escapeMarks(conditions({ rowFilter: null, cursor: null, chunk }).join(' AND ') || 'TRUE')),
      clock: `SELECT to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at`,
      sqlStates: { ...sqlStates, '08001': 'SourceUnreachable', '08': 'SourceConnectionLost' },
      address: `PostgreSQL at ${describeAddress(connection)}`,
      rowBytes: estimate.rows === 0 ? 0 : estimate.bytes / estimate.rows,
    };
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * The lock before the snapshot, as `beginSnapshot` takes it. Where LOCK TABLE is not allowed, a query without rows takes the same lock, but a
 * snapshot first: the next statement has its own by READ COMMITTED, and a chunk is one statement.
 */
function sessionStatements(relation: SparkRead['relation'], { kind, lockable }: SourceTable): string[] {
  const locked = lockable && kind !== 'materialized view' && kind !== 'foreign table';
  return [
    `SET TRANSACTION ISOLATION LEVEL ${locked ? 'REPEATABLE READ' : 'READ COMMITTED'} READ ONLY`,
    ...settings.map((setting) => `SET LOCAL ${setting}`),
    locked ? `LOCK TABLE ${quoteRelation(relation)} IN ACCESS SHARE MODE` : `SELECT FROM ${quoteRelation(relation)} LIMIT 0`,
  ];
}

/** Columns as `_firn_0`, `_firn_1`, …, then by their own names those that the chunks are ranges of. */
function expressions(readings: readonly Reading[], [chunk]: readonly Chunk[]): string[] {
  const values = readings.map((reading, index) => `${travelExpression(reading)} AS _firn_${index}`);
  const ranges = chunk?.key?.columns ?? (chunk?.column ? [chunk.column] : []);
  return [...values, ...ranges.map(quoteIdentifier)];
}

function travelExpression(reading: Reading): string {
  const { mask } = reading.column;
  // The query goes through the job's documents on S3, where no secret may stand: without its salt.
  if (mask === 'sha256') return readExpression(reading.column, reading.selection);
  const value = valueExpression(reading);
  return mask === 'null' ? `CASE WHEN FALSE THEN ${value} END` : value;
}

function valueExpression({ column: { name, parquet }, type, selection, decoder }: Reading): string {
  const column = quoteIdentifier(name);
  switch (parquet.kind) {
    case 'date':
      return finite(column, `${column} - date '2000-01-01'`, '2147483647', '-2147483648');
    case 'time':
      return `pg_catalog.round(pg_catalog.date_part('epoch', ${column}) * 1000000)::pg_catalog.int8`;
    case 'timestamp':
      // Whole seconds and the rest, each exact as a double whatever the year.
      return finite(
        column,
        `(pg_catalog.date_part('epoch', pg_catalog.date_trunc('second', ${column}))::pg_catalog.int8 - 946684800) * 1000000 + pg_catalog.date_part('microseconds', ${column})::pg_catalog.int8 % 1000000`,
        '9223372036854775807',
        '(-9223372036854775808)',
      );
    case 'int32':
      return `${column}::pg_catalog.int4`;
    case 'int64':
      return decoder.kind === 'uint4' ? `${column}::pg_catalog.text::pg_catalog.int8` : column;
    case 'decimal':
      return `${column}::pg_catalog.text`;
    case 'double':
      return decoder.kind === 'numericDouble' ? `${column}::pg_catalog.text` : column;
    case 'string':
    case 'json':
      if (decoder.kind === 'array') return selectExpression(name, 'json');
      // Its cast to text strips the padding.
      if (type.name === 'bpchar' && selection === 'native') return `pg_catalog.textin(pg_catalog.bpcharout(${column}))`;
      return selection === 'native' ? `${column}::pg_catalog.text` : selectExpression(name, selection);
    default:
      return selectExpression(name, selection);
  }
}

const finite = (column: string, value: string, above: string, below: string): string =>
  `CASE WHEN pg_catalog.isfinite(${column}) THEN ${value} WHEN ${column} > '2000-01-01' THEN ${above} WHEN ${column} < '2000-01-01' THEN ${below} END`;

/** JDBC takes a question mark outside of quotes for a parameter; doubled, it is the operator. */
export function escapeMarks(sql: string): string {
  const quoted = /[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g;
  return sql.replace(quoted, (token) => (token === '?' ? '??' : token));
}
