import type { ClientBase } from 'pg';
import type { Plan } from '../../plan/plan.js';
import type { Estimate, Relation } from '../source.js';
import { query } from './connection.js';
import { readBaseType } from './cursor-column.js';
import { cursorCondition, quoteIdentifier, quoteRelation } from './query.js';

/** What the source's planner expects of the read: nothing is read. */
export async function estimateRead(
  client: ClientBase,
  plan: Pick<Plan, 'relation' | 'columns' | 'rowFilter' | 'cursor'>,
): Promise<Estimate> {
  const { relation, columns, rowFilter, cursor } = plan;
  const conditions = [
    ...(rowFilter === null ? [] : [`(${rowFilter}\n)`]),
    ...(cursor?.from ? [cursorCondition({ ...cursor, onNull: 'exclude' })] : []),
  ];
  const rows = await query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number; 'Plan Width': number } }] }>(
    client,
    `EXPLAIN (FORMAT JSON) SELECT ${columns.map(({ name }) => quoteIdentifier(name)).join(', ')}
     FROM ${quoteRelation(relation)} ${conditions.length ? `WHERE ${conditions.join(' AND ')}` : ''}`,
  );
  const root = rows[0]!['QUERY PLAN'][0].Plan;
  return { rows: root['Plan Rows'], bytes: root['Plan Rows'] * root['Plan Width'] };
}

/** Least and greatest value of a column by which a table can be read in ranges; null when it is no integer, or there are no rows. */
export async function readRange(client: ClientBase, relation: Relation, column: string): Promise<{ min: bigint; max: bigint } | null> {
  const found = await readBaseType(client, relation, column);
  if (!found || !['int2', 'int4', 'int8'].includes(found.type)) return null;
  const rows = await query<{ min: string | null; max: string | null }>(
    client,
    `SELECT min(${quoteIdentifier(column)})::text AS min, max(${quoteIdentifier(column)})::text AS max FROM ${quoteRelation(relation)}`,
  );
  const { min, max } = rows[0]!;
  return min === null || max === null ? null : { min: BigInt(min), max: BigInt(max) };
}
