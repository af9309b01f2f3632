import { FirnError } from '../../errors.js';
import type { CursorColumn, Relation } from '../source.js';
import { readColumns, readTable } from './catalog.js';
import { query, type Session } from './connection.js';
import { quoteIdentifier, quoteRelation } from './query.js';

/** In the contract's words: a TIMESTAMP is an instant, a DATETIME the local time of whoever wrote it. */
const types: Record<string, Pick<CursorColumn, 'kind' | 'type'>> = {
  timestamp: { kind: 'time', type: 'timestamptz' },
  datetime: { kind: 'time', type: 'timestamp' },
  date: { kind: 'time', type: 'date' },
  tinyint: { kind: 'integer', type: 'int8' },
  smallint: { kind: 'integer', type: 'int8' },
  mediumint: { kind: 'integer', type: 'int8' },
  int: { kind: 'integer', type: 'int8' },
  bigint: { kind: 'integer', type: 'int8' },
};

/** @throws FirnError CursorColumnMissing; CursorColumnUnsuitable for another type, or where servers take numbers in turns */
export async function readCursorColumn(session: Session, asked: Relation, column: string): Promise<CursorColumn> {
  const { relation } = await readTable(session, asked);
  const name = `${relation.schema}.${relation.table}.${column}`;
  const found = (await readColumns(session, relation)).find((one) => one.name === column);
  if (!found) throw new FirnError('CursorColumnMissing', `Cursor column ${name} does not exist.`);
  const suited = types[found.type.name];
  if (!suited)
    throw new FirnError('CursorColumnUnsuitable', `Cursor column ${name} is of type ${found.sourceType}, which cannot carry a cursor.`);
  if (suited.kind === 'integer') await refuseTurns(session, name);
  return { name: column, nullable: found.nullable, ...suited };
}

/** Several servers that write each count in steps: the lower number of one may be committed after the higher one of another. */
async function refuseTurns(session: Session, name: string): Promise<void> {
  const [row] = await query<{ step: number }>(session, 'SELECT @@global.auto_increment_increment AS step');
  if (Number(row!.step) === 1) return;
  throw new FirnError(
    'CursorColumnUnsuitable',
    `Cursor column ${name}: auto_increment_increment is ${row!.step}, so several servers take numbers in turns, and a lower value can be committed after a higher one.`,
  );
}

/** How many rows have no cursor: `cursor >= bound` never reads them. */
export async function countNullCursors(session: Session, relation: Relation, column: string, rowFilter: string | null): Promise<number> {
  const [row] = await query<{ count: number }>(
    session,
    `SELECT COUNT(*) AS count FROM ${quoteRelation(relation)}
     WHERE ${quoteIdentifier(column)} IS NULL${rowFilter === null ? '' : ` AND (${rowFilter}\n)`}`,
  );
  return Number(row!.count);
}

const hour = 3_600_000;

/**
 * The text of the inclusive lower bound for `cursor >= bound`, `lookbackSeconds` below `safe`, cut to whole seconds: a column may have no
 * fractions, and NOW() cuts them off.
 *
 * DATETIME and DATE hold the local time of whoever wrote them. With a declared zone the bound is the lowest local time that can still come
 * (clocks that are set back repeat an hour); without one it is the local time of the zone that is most behind, UTC−12.
 */
export function timeBound(type: CursorColumn['type'], safe: string, lookbackSeconds: number, zone: string | null): string {
  const bound = Math.floor(Date.parse(`${safe.slice(0, 19)}Z`) - lookbackSeconds * 1000);
  if (type === 'timestamptz') return text(bound);
  const local = zone === null ? bound - 12 * hour : Math.min(localTime(bound, zone), localTime(bound + 3 * hour, zone) - 3 * hour);
  return type === 'date' ? text(local).slice(0, 10) : text(local);
}

const text = (time: number): string => new Date(time).toISOString().slice(0, 19).replace('T', ' ');

/** What clocks in the zone show, as if it were UTC. */
function localTime(time: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const parts = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.year!, parts.month! - 1, parts.day, parts.hour, parts.minute, parts.second);
}
