import type { Plan } from '../../plan/plan.js';
import type { Relation, Where } from '../source.js';
import type { Selection } from './types.js';

export const quoteIdentifier = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

export const quoteRelation = ({ schema, table }: Relation): string => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;

/** A string for sessions of `connect`, whose sql_mode has no NO_BACKSLASH_ESCAPES. */
export const quoteLiteral = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/** How many question marks a text has: more once it is converted, where characters were lost. */
const marks = (text: string): string => `(CHAR_LENGTH(${text}) - CHAR_LENGTH(REPLACE(${text}, '?', '')))`;

/** The expression that sends a column in the form its decoder expects. */
export function selectExpression(name: string, selection: Selection): string {
  const column = quoteIdentifier(name);
  switch (selection) {
    case 'native':
      return column;
    case 'text':
      return `CAST(${column} AS CHAR)`;
    case 'converted': {
      const converted = `CONVERT(${column} USING utf8mb4)`;
      return `IF(${marks(column)} = ${marks(converted)}, CAST(${converted} AS BINARY), CONCAT(x'ff', CAST(${column} AS BINARY)))`;
    }
  }
}

/**
 * `(a, b) >= (x, y)` or `<` in the form for which both servers use the index: their optimizers see no range in row constructors.
 * NULLs do not occur in a key. `literals`: SQL of each bound.
 */
function keyCondition(columns: readonly string[], literals: readonly string[], side: '>=' | '<'): string {
  const [column, ...others] = columns.map(quoteIdentifier) as [string, ...string[]];
  const strict = side === '>=' ? '>' : '<';
  if (others.length === 0) return `${column} ${side} ${literals[0]}`;
  return `(${column} ${strict} ${literals[0]} OR (${column} = ${literals[0]} AND ${keyCondition(columns.slice(1), literals.slice(1), side)}))`;
}

/** Bounds of a key's range are SQL literals: `split` made them. */
export function keyConditions({ columns, from, to }: { columns: readonly string[]; from: string[] | null; to: string[] | null }): string[] {
  return [...(from === null ? [] : [keyCondition(columns, from, '>=')]), ...(to === null ? [] : [keyCondition(columns, to, '<')])];
}

/** A row whose cursor or chunk column is NULL: by `onNull`, and in the chunk without a lower end. */
export function conditions({ rowFilter, cursor, chunk }: Where): string[] {
  const parts: string[] = [];
  // The line break ends a comment at the end of the filter.
  if (rowFilter !== null) parts.push(`(${rowFilter}\n)`);
  if (cursor !== null) {
    const column = quoteIdentifier(cursor.column);
    const nulls = cursor.onNull === 'include' ? ` OR ${column} IS NULL` : '';
    if (cursor.from !== null) parts.push(`(${column} >= ${quoteLiteral(cursor.from)}${nulls})`);
    else if (nulls === '') parts.push(`${column} IS NOT NULL`);
  }
  if (chunk !== null && chunk.column !== null) {
    const column = quoteIdentifier(chunk.column);
    if (chunk.from !== null) parts.push(`${column} >= ${chunk.from}`);
    if (chunk.to !== null) parts.push(`(${column} < ${chunk.to}${chunk.from === null ? ` OR ${column} IS NULL` : ''})`);
  }
  if (chunk?.key) parts.push(...keyConditions(chunk.key));
  return parts;
}

export const whereClause = (parts: string[]): string => (parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`);

export function selectStatement(relation: Plan['relation'], expressions: readonly string[], where: Where): string {
  return `SELECT ${expressions.join(', ')} FROM ${quoteRelation(relation)}${whereClause(conditions(where))}`;
}

/** Whether any row to read has no cursor: one row, or none. */
export function nullCursorStatement(relation: Relation, column: string, where: Where): string {
  const parts = [...conditions({ ...where, cursor: null }), `${quoteIdentifier(column)} IS NULL`];
  return `SELECT 1 FROM ${quoteRelation(relation)}${whereClause(parts)} LIMIT 1`;
}
