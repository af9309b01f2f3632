import type { TableConfig } from '../config/schema.js';
import { FirnError } from '../errors.js';
import { comparableTransactions } from '../source/postgres/xmin.js';
import type { CursorColumn, Observation, Relation, SourceSession } from '../source/source.js';
import { type Reading, safeTime, safeUpper } from '../source/watermark.js';
import type { HeldBack, Plan, Watermark } from './plan.js';

export const defaultLookbackSeconds = 60;
/** A transaction that holds the bound back for longer is warned of. */
export const defaultHoldBackWarningSeconds = 3600;

export interface CursorPlan {
  /** Null in full mode. */
  cursor: Plan['cursor'];
  watermarkAfter: Watermark;
  /** Who holds the next lower bound back. */
  heldBack: HeldBack | null;
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
  refuseForeignClock(relation, config, cursor);
  // First of all: a column that is never NULL is not counted, and what is committed after the count is met by the next run.
  if (mode === 'incremental') await refuseNullCursors(session, relation, config, cursor);

  const observation = await session.observe(relation, cursor, config.lookback_seconds ?? null);
  const { upper, readAt, fence, prepared, warnings } = observation;
  const lookback = config.lookback_seconds ?? defaultLookbackSeconds;
  const zone = config.cursor_time_zone ?? null;
  const timeText = (safe: string | null) => (safe === null ? null : session.timeBound(cursor.type, safe, lookback, zone));

  // Another column's values bound nothing here, but what was open and prepared then still counts.
  const sameCursor = (past: Watermark) => past.cursorColumn === cursor.name && past.kind === cursor.kind;
  // Nor do values above the present ones, or another server's: the numbers began anew.
  const above = (past: Watermark) => past.upper !== null && upper !== null && BigInt(past.upper) > BigInt(upper);
  const counts = (past: Watermark) => sameCursor(past) && !above(past) && sameServer(past, observation);
  const readings: Reading[] = history.filter(({ kind }) => kind !== 'xmin').map((past) => (counts(past) ? past : { ...past, upper: null }));
  const safe = cursor.kind === 'xmin' ? null : safeTime(readings, observation);
  const lowerBound = { time: () => timeText(safe), integer: () => safeUpper(readings, observation), xmin: () => upper }[cursor.kind]();

  const last = history.at(-1);
  const before = last && sameCursor(last) ? last : null;
  const anew = before && whyAnew(cursor, before, observation);
  if (anew) warnings.push(`Everything is read again: ${anew}.`);
  // A time bound is computed anew, so that a lookback that was raised since counts at once.
  const from = before === null || anew ? null : cursor.kind === 'time' ? await timeText(before.safe) : before.lowerBound;
  await session.checkCursorValues?.(relation, cursor, mode === 'full' ? null : from);

  const heldBack = holder(cursor, safe, observation);
  if (heldBack && heldBack.seconds >= (config.hold_back_warning_seconds ?? defaultHoldBackWarningSeconds)) {
    warnings.push(`${described(heldBack)}: until it ends, each run reads again what was written since then.`);
  }
  if (cursor.type === 'timestamp' && zone === null) {
    warnings.push(`Cursor column ${cursor.name} has no time zone: 12 hours more are read again each time; declare cursor_time_zone.`);
  }
  const onNull = cursor.kind === 'xmin' ? 'exclude' : config.on_null_cursor;
  const comparison = cursor.comparison && { comparison: cursor.comparison };
  return {
    cursor: mode === 'full' ? null : { column: cursor.name, from, onNull, ...comparison },
    watermarkAfter: {
      cursorColumn: cursor.name,
      kind: cursor.kind,
      fence,
      prepared,
      upper,
      readAt,
      safe,
      lowerBound: await lowerBound,
      ...(observation.server && { server: observation.server }),
    },
    heldBack,
    warnings,
  };
}

/** A watermark of an older version names no server. */
const sameServer = (past: Watermark, { server }: Observation): boolean =>
  past.server === undefined || server === undefined || past.server === server;

/** Why numbers of the last run bound nothing any more; null: they do. */
function whyAnew({ kind, name }: CursorColumn, before: Watermark, present: Observation): string | null {
  if (kind === 'time') return null;
  if (!sameServer(before, present))
    return `the source is another server than before, or was promoted or restored (${before.server}, now ${present.server})`;
  if (before.lowerBound === null) return null;
  const bound = BigInt(before.lowerBound);
  const now = BigInt(present.upper ?? bound);
  if (now < bound)
    return kind === 'xmin'
      ? `its transactions are at ${now}, and were at ${bound}`
      : `the greatest ${name} is ${present.upper}, less than the ${bound} that was read before`;
  if (kind === 'xmin' && now - bound >= comparableTransactions)
    return `${now - bound} transactions have passed since the last run, too many to compare`;
  return null;
}

/** Who keeps the next run's bound from being the present. A prepared transaction that an earlier reading knew counts from that one. */
function holder(cursor: CursorColumn, safe: string | null, { fence, oldest, oldestPrepared }: Observation): HeldBack | null {
  const byPrepared =
    oldestPrepared && (cursor.kind === 'xmin' ? !oldest || oldestPrepared.since < oldest.since : safe === null || safe < fence);
  if (byPrepared) {
    const { gid, since, seconds } = oldestPrepared;
    return { pid: null, prepared: gid, user: null, application: null, since, seconds };
  }
  return oldest && { prepared: null, ...oldest };
}

function described({ pid, prepared, user, application, since, seconds }: HeldBack): string {
  if (prepared !== null) return `Prepared transaction "${prepared}" has waited for ${seconds} s, since ${since}`;
  const who = [user, application].filter(Boolean).join(', ');
  return `Session ${pid} (${who}) has had a transaction open for ${seconds} s, since ${since}`;
}

function refuseForeignClock({ schema, table }: Relation, config: TableConfig, cursor: CursorColumn): void {
  if (!cursor.foreignClock || config.lookback_seconds !== undefined) return;
  throw new FirnError(
    'CursorColumnUnsuitable',
    `Cursor column ${schema}.${table}.${cursor.name} holds identifiers that an application's clock has made: declare lookback_seconds above the skew of that clock.`,
  );
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
