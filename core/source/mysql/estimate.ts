import type { Plan } from '../../plan/plan.js';
import type { Estimate } from '../source.js';
import { readTable } from './catalog.js';
import { query, type Session } from './connection.js';
import { quoteIdentifier, selectStatement } from './query.js';

/** Of a view, whose rows have no statistics. */
const assumedRowBytes = 200;

/** What the source's planner expects of the read: nothing is read. The width is that of whole rows. */
export async function estimateRead(
  session: Session,
  { relation, columns, rowFilter, cursor }: Pick<Plan, 'relation' | 'columns' | 'rowFilter' | 'cursor'>,
): Promise<Estimate> {
  const { averageRowBytes } = await readTable(session, relation);
  const expressions = columns.map(({ name }) => quoteIdentifier(name));
  // MariaDB tells the share that a condition leaves when it is asked for it, MySQL always.
  const plan = await query<{ rows: number | string | null; filtered: number | string | null }>(
    session,
    `EXPLAIN ${session.isMariaDb ? 'EXTENDED ' : ''}${selectStatement(relation, expressions, { rowFilter, cursor, chunk: null })}`,
  );
  // A view's tables stand in several lines, joined: the product.
  const rows = Math.round(plan.reduce((product, row) => product * (Number(row.rows ?? 1) * (Number(row.filtered ?? 100) / 100)), 1));
  return { rows, bytes: rows * (averageRowBytes || assumedRowBytes) };
}
