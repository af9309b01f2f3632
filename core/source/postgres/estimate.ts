import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg';
import type { Plan } from '../../plan/plan.js';
import { type Relation, readBaseType } from './cursor-column.js';

export interface Estimate {
  rows: number;
  /** Width of the columns read, uncompressed. */
  bytes: number;
}

/** What the source's planner expects of the read: nothing is read. */
export async function estimateRead(
  client: ClientBase,
  plan: Pick<Plan, 'relation' | 'columns' | 'rowFilter' | 'cursor'>,
): Promise<Estimate> {
  const { relation, columns, rowFilter, cursor } = plan;
  const conditions = [
    ...(rowFilter === null ? [] : [`(${rowFilter}\n)`]),
    ...(cursor?.from ? [`${escapeIdentifier(cursor.column)} >= ${escapeLiteral(cursor.from)}`] : []),
  ];
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number; 'Plan Width': number } }] }>(
    `EXPLAIN (FORMAT JSON) SELECT ${columns.map(({ name }) => escapeIdentifier(name)).join(', ')}
     FROM ${tableName(relation)} ${conditions.length ? `WHERE ${conditions.join(' AND ')}` : ''}`,
  );
  const root = rows[0]!['QUERY PLAN'][0].Plan;
  return { rows: root['Plan Rows'], bytes: root['Plan Rows'] * root['Plan Width'] };
}

/** Least and greatest value of a column by which a table can be read in ranges; null when it is no integer, may be NULL, or there are no rows. */
export async function readRange(client: ClientBase, relation: Relation, column: string): Promise<{ min: bigint; max: bigint } | null> {
  const found = await readBaseType(client, relation, column);
  if (!found || found.nullable || !['int2', 'int4', 'int8'].includes(found.type)) return null;
  const { rows } = await client.query<{ min: string | null; max: string | null }>(
    `SELECT min(${escapeIdentifier(column)})::text AS min, max(${escapeIdentifier(column)})::text AS max FROM ${tableName(relation)}`,
  );
  const { min, max } = rows[0]!;
  return min === null || max === null ? null : { min: BigInt(min), max: BigInt(max) };
}

const tableName = ({ schema, table }: Relation): string => `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`;
