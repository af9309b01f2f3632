import pg from 'pg';
import type { Chunk, Plan } from '../../plan/plan.js';
import type { Selection } from './types.js';
import { writtenSince } from './xmin.js';

/** Which rows of a table are read. */
export interface Where {
  /** A boolean SQL expression of the source, trusted: it comes from the table's configuration. */
  rowFilter: string | null;
  cursor: Plan['cursor'];
  chunk: Pick<Chunk, 'column' | 'from' | 'to'> | null;
}

export const quoteIdentifier = pg.escapeIdentifier;
export const quoteLiteral = pg.escapeLiteral;

export function quoteRelation({ schema, table }: Plan['relation']): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}

/** The expression that sends a column in the form its decoder expects. */
export function selectExpression(name: string, selection: Selection): string {
  const column = quoteIdentifier(name);
  switch (selection) {
    case 'native':
      return column;
    case 'text':
      return `${column}::pg_catalog.text`;
    case 'json':
      return `pg_catalog.to_json(${column})::pg_catalog.text`;
    case 'money':
      return `${column}::pg_catalog.numeric::pg_catalog.text`;
    case 'moneys':
      return `pg_catalog.to_json(${column}::pg_catalog.numeric[])::pg_catalog.text`;
  }
}

/** Which rows the cursor selects; null: all. The bound is a literal without a type, so that it takes the column's. */
export function cursorCondition({ column, from, onNull, comparison }: NonNullable<Plan['cursor']>): string | null {
  if (comparison === 'xid') return from === null ? null : writtenSince(from);
  const name = quoteIdentifier(column);
  if (from === null) return onNull === 'include' ? null : `${name} IS NOT NULL`;
  const value = comparison === 'bytes' ? `${name}::pg_catalog.text COLLATE "C"` : name;
  return `(${value} >= ${quoteLiteral(from)}${onNull === 'include' ? ` OR ${name} IS NULL` : ''})`;
}

/**
 * The bounds are literals without a type, so that they take the column's. A row whose cursor or chunk column is NULL:
 * by `onNull`, and in the chunk without a lower end.
 */
export function conditions({ rowFilter, cursor, chunk }: Where): string[] {
  const parts: string[] = [];
  // The line break ends a comment at the end of the filter.
  if (rowFilter !== null) parts.push(`(${rowFilter}\n)`);
  const since = cursor && cursorCondition(cursor);
  if (since) parts.push(since);
  if (chunk !== null && chunk.column !== null) {
    const column = quoteIdentifier(chunk.column);
    if (chunk.from !== null) parts.push(`${column} >= ${quoteLiteral(chunk.from)}`);
    if (chunk.to !== null) parts.push(`(${column} < ${quoteLiteral(chunk.to)}${chunk.from === null ? ` OR ${column} IS NULL` : ''})`);
  }
  return parts;
}

function whereClause(parts: string[]): string {
  return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
}

/** The one query of an extraction, whichever engine asks it. */
export function selectStatement(relation: Plan['relation'], expressions: readonly string[], where: Where, range?: string): string {
  const parts = conditions(where);
  if (range !== undefined) parts.push(range);
  return `SELECT ${expressions.join(', ')} FROM ${quoteRelation(relation)}${whereClause(parts)}`;
}

export function copyStatement(relation: Plan['relation'], expressions: readonly string[], where: Where, range?: string): string {
  return `COPY (${selectStatement(relation, expressions, where, range)}) TO STDOUT (FORMAT binary)`;
}

/** Whether any row to read has no cursor: one row, or none. */
export function nullCursorStatement(relation: Plan['relation'], column: string, where: Where): string {
  const parts = [...conditions({ ...where, cursor: null }), `${quoteIdentifier(column)} IS NULL`];
  return `SELECT 1 FROM ${quoteRelation(relation)}${whereClause(parts)} LIMIT 1`;
}
