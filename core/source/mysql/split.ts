import { piecesOfChunk, splitRanges, wholeTable } from '../../plan/chunks.js';
import type { Chunk } from '../../plan/plan.js';
import type { Relation, Split, ToSplit } from '../source.js';
import { readColumns, readTable, type SourceColumn } from './catalog.js';
import { query, type Session } from './connection.js';
import { keyConditions, quoteIdentifier, quoteLiteral, quoteRelation, whereClause } from './query.js';

const integers = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);

/** How a bound is written, by type. Others compare otherwise than they are ordered (enum), or not exactly (float). */
const literals: Record<string, (name: string) => string> = {
  ...Object.fromEntries([...integers, 'decimal', 'year'].map((type) => [type, (name: string) => `CAST(${name} AS CHAR)`])),
  ...Object.fromEntries(
    ['char', 'varchar', 'date', 'datetime', 'timestamp'].map((type) => [type, (name: string) => `CAST(${name} AS CHAR)`]),
  ),
  ...Object.fromEntries(['binary', 'varbinary'].map((type) => [type, (name: string) => `HEX(${name})`])),
};

const isNumber = (type: string): boolean => integers.has(type) || type === 'decimal' || type === 'year';

function literal({ type }: SourceColumn, text: string): string {
  if (isNumber(type.name)) return text;
  return type.name === 'binary' || type.name === 'varbinary' ? `x'${text}'` : quoteLiteral(text);
}

/**
 * Ranges of one integer column are cut by its least and greatest value. Any other key is walked along its index, eight steps per chunk: the
 * server reads the index once, and the chunks hold about as many rows each.
 */
export async function split(session: Session, { relation: asked, partitionColumn, primaryKey, estimate, wanted }: ToSplit): Promise<Split> {
  const { relation } = await readTable(session, asked);
  const columns = await readColumns(session, relation);
  const names = partitionColumn === undefined ? primaryKey : [partitionColumn];
  if (names.length === 0) return { refused: 'it has no primary key' };
  const key = names.map((name) => columns.find((column) => column.name === name));
  const unsuited = names.find((_, i) => !(key[i] && literals[key[i].type.name]));
  if (unsuited !== undefined) return { refused: `${unsuited} is no column by whose values it can be cut` };

  if (key.length === 1 && integers.has(key[0]!.type.name)) {
    const range = await readRange(session, relation, names[0]!);
    return {
      chunks:
        range === null ? splitRanges({ column: names[0]!, min: 0n, max: 0n }, 1) : splitRanges({ column: names[0]!, ...range }, wanted),
    };
  }
  if (partitionColumn !== undefined) return { refused: `${partitionColumn} is not an integer column` };
  const pieces = wanted * piecesOfChunk;
  const bounds = await walk(session, relation, key as SourceColumn[], Math.max(1, Math.ceil(estimate.rows / pieces)), pieces);
  return { chunks: chunksBetween(names, bounds) };
}

async function readRange(session: Session, relation: Relation, column: string): Promise<{ min: bigint; max: bigint } | null> {
  const name = quoteIdentifier(column);
  const [row] = await query<{ min: string | null; max: string | null }>(
    session,
    `SELECT CAST(MIN(${name}) AS CHAR) AS min, CAST(MAX(${name}) AS CHAR) AS max FROM ${quoteRelation(relation)}`,
  );
  const { min, max } = row!;
  return min === null || max === null ? null : { min: BigInt(min), max: BigInt(max) };
}

/** The key of every `step`-th row, at most `wanted` − 1 of them, as SQL. */
async function walk(session: Session, relation: Relation, key: SourceColumn[], step: number, wanted: number): Promise<string[][]> {
  const names = key.map(({ name }) => name);
  const expressions = key.map(({ name, type }, i) => `${literals[type.name]!(quoteIdentifier(name))} AS k${i}`);
  const order = names.map(quoteIdentifier).join(', ');
  const bounds: string[][] = [];
  while (bounds.length < wanted - 1) {
    const from = bounds.at(-1) ?? null;
    const [row] = await query<Record<string, string>>(
      session,
      `SELECT ${expressions.join(', ')} FROM ${quoteRelation(relation)} FORCE INDEX (PRIMARY)${whereClause(keyConditions({ columns: names, from, to: null }))}
       ORDER BY ${order} LIMIT 1 OFFSET ${step}`,
    );
    if (row === undefined) break;
    bounds.push(key.map((column, i) => literal(column, row[`k${i}`]!)));
  }
  return bounds;
}

/** A chunk has as many of the ranges between the bounds as it has pieces. */
function chunksBetween(columns: string[], bounds: string[][]): Chunk[] {
  if (bounds.length < piecesOfChunk) return wholeTable;
  const starts = [null, ...bounds].filter((_, index) => index % piecesOfChunk === 0);
  return starts.map((from, number) => {
    const first = number * piecesOfChunk;
    const steps = bounds.slice(first, first + piecesOfChunk - 1);
    const to = bounds[first + piecesOfChunk - 1] ?? null;
    return { number, column: null, from: null, to: null, key: { columns, from, to, ...(steps.length > 0 && { steps }) } };
  });
}
