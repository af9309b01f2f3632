import type { TableConfig } from '../config/schema.js';
import { FirnError } from '../errors.js';
import { type Reading, safeTime, safeUpper } from '../source/postgres/watermark.js';
import type { CursorColumn, Observation, Relation, SourceSession } from '../source/source.js';
import type { Plan, Watermark } from './plan.js';

export const defaultLookbackSeconds = 60;

export interface CursorPlan {
  /** Null in full mode. */
  cursor: Plan['cursor'];
  watermarkAfter: Watermark;
  /** The oldest transaction that holds the next lower bound back. */
  oldest: Observation['oldest'];
  warnings: string[];
}

/**
 * Observes the source by the cursor rule and decides where this run and the next one begin to read.
 * A full run on an incremental table observes too: it reads everything, so the next incremental run may go on from it.
 *
 * @param history readings of earlier committed runs, oldest first, the last one being the table's watermark
 * @throws FirnError CursorColumnMissing, CursorColumnUnsuitable, CursorIsNull, FenceUnreadable
 */
export async function planCursor(
  session: SourceSession,
  relation: Relation,
  config: TableConfig,
  mode: Plan['mode'],
  history: Watermark[],
): Promise<CursorPlan> {
  if (!config.cursor_column) {
    throw new FirnError('CursorColumnMissing', `${relation.schema}.${relation.table} is incremental, but declares no cursor_column.`);
  }
  const cursor = await session.readCursorColumn(relation, config.cursor_column);
  // First of all: a column that is never NULL is not counted, and what is committed after the count is met by the next run.
  if (mode === 'incremental') await refuseNullCursors(session, relation, config, cursor);

  const observation = await session.observe(relation, cursor, config.lookback_seconds ?? null);
  const { upper, readAt, fence, prepared, oldest, warnings } = observation;
  const lookback = config.lookback_seconds ?? defaultLookbackSeconds;
  const zone = config.cursor_time_zone ?? null;
  const timeText = (safe: string | null) => (safe === null ? null : session.timeBound(cursor.type, safe, lookback, zone));

  // Another column's values bound nothing here, but what was open and prepared then still counts.
  const sameCursor = (past: Watermark) => past.cursorColumn === cursor.name && past.kind === cursor.kind;
  // Nor do values above the present ones: the numbers began anew.
  const above = (past: Watermark) => past.upper !== null && upper !== null && BigInt(past.upper) > BigInt(upper);
  const readings: Reading[] = history.map((past) => (sameCursor(past) && !above(past) ? past : { ...past, upper: null }));
  const safe = safeTime(readings, observation);
  const lowerBound = cursor.kind === 'integer' ? safeUpper(readings, observation) : await timeText(safe);

  const last = history.at(-1);
  const before = last && sameCursor(last) ? last : null;
  // A time bound is computed anew, so that a lookback that was raised since counts at once.
  const restarted =
    cursor.kind === 'integer' && before?.lowerBound != null && BigInt(upper ?? before.lowerBound) < BigInt(before.lowerBound);
  if (restarted) {
    warnings.push(
      `Everything is read again: the greatest ${cursor.name} is ${upper}, less than the ${before.lowerBound} that was read before.`,
    );
  }
  const from = before === null || restarted ? null : cursor.kind === 'integer' ? before.lowerBound : await timeText(before.safe);

  if (oldest && oldest.seconds >= lookback) {
    const who = [oldest.user, oldest.application].filter(Boolean).join(', ');
    warnings.push(
      `Session ${oldest.pid} (${who}) has had a transaction open for ${oldest.seconds} s, since ${oldest.since}: until it ends, each run reads again from there.`,
    );
  }
  if (cursor.type === 'timestamp' && zone === null) {
    warnings.push(`Cursor column ${cursor.name} has no time zone: 12 hours more are read again each time; declare cursor_time_zone.`);
  }
  return {
    cursor: mode === 'full' ? null : { column: cursor.name, from, onNull: config.on_null_cursor },
    watermarkAfter: { cursorColumn: cursor.name, kind: cursor.kind, fence, prepared, upper, readAt, safe, lowerBound },
    oldest,
    warnings,
  };
}

async function refuseNullCursors(session: SourceSession, relation: Relation, config: TableConfig, cursor: CursorColumn): Promise<void> {
  if (!cursor.nullable || config.on_null_cursor !== 'error') return;
  const count = await session.countNullCursors(relation, cursor.name, config.row_filter ?? null);
  if (count === 0) return;
  throw new FirnError(
    'CursorIsNull',
    `${relation.schema}.${relation.table} has ${count} rows whose ${cursor.name} is NULL: an incremental run would never read them.`,
  );
}
