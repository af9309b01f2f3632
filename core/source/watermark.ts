import type { Watermark } from '../plan/plan.js';

/**
 * The cursor rule, its pure part: from which value may the next incremental run read, so that no row is ever missed,
 * however late its transaction commits?
 *
 * Each run observes the source before its snapshot: F (`fence`), P (`prepared`) and, for integer cursors, U (`upper`) at t (`readAt`).
 * A transaction that can still commit is either open (then it began at F or later), or prepared. A prepared one that an earlier run
 * did not list was open or not yet begun at that run's fence, so it began at that run's F or later.
 * No xid is compared but for equality: wraparound, rollbacks and savepoints cannot matter.
 *
 * Timestamps are ISO 8601 in UTC with six decimals, so text order is time order.
 */
export type Reading = Pick<Watermark, 'fence' | 'prepared' | 'upper' | 'readAt'>;

const disjoint = (a: string[], b: string[]): boolean => !a.some((xid) => b.includes(xid));

/** The latest observation whose P shares no xid with the present P; the present one itself when nothing is prepared. */
function latestDisjoint(history: Reading[], present: Reading): Reading | undefined {
  return [...history, present].findLast((reading) => disjoint(reading.prepared, present.prepared));
}

const isSafeAt = (safe: string) => (reading: Reading) => reading.readAt <= safe;

/**
 * `safe`: every transaction that began before it has ended, and this run's snapshot sees what it wrote. Null: nothing is known to be safe.
 * `history` holds the readings of earlier committed runs, oldest first.
 */
export function safeTime(history: Reading[], present: Reading): string | null {
  const witness = latestDisjoint(history, present);
  if (!witness) return null;
  return [witness.fence, present.fence].toSorted()[0]!;
}

/** Integer cursors: U of the latest run with t ≤ safe. Transactions that began after t take greater values. Null: read everything. */
export function safeUpper(history: Reading[], present: Reading): string | null {
  const safe = safeTime(history, present);
  if (safe === null) return null;
  return [...history, present].findLast(isSafeAt(safe))?.upper ?? null;
}

/** What Commit keeps beside the watermark it commits: the readings that a later run can still need, oldest first. */
export const checkpointLimit = 50;

/**
 * The readings of `past` that a run after `committed` can still need: from the earlier one of the two that the rule picks now.
 * `safe` never falls, so older ones are never picked again. Beyond `checkpointLimit` those in the middle go: picking an
 * older reading than the best only means reading more again.
 */
export function usableCheckpoints<R extends Reading & Partial<Pick<Watermark, 'kind'>>>(past: R[], committed: R): R[] {
  // xmin needs no earlier reading, and its readings say nothing of times: whoever changes the cursor column reads everything.
  if (committed.kind === 'xmin') return [];
  const history = past.filter(({ kind }) => kind !== 'xmin');
  const all = [...history, committed];
  const safe = safeTime(history, committed);
  if (safe === null) return thin(history);
  const witness = all.findLastIndex((reading) => disjoint(reading.prepared, committed.prepared));
  const bound = all.findLastIndex(isSafeAt(safe));
  return thin(history.slice(Math.max(0, Math.min(witness, bound))));
}

function thin<R>(readings: R[]): R[] {
  if (readings.length <= checkpointLimit) return readings;
  return [...readings.slice(0, 1), ...thinMiddle(readings.slice(1))];
}

/** Every second reading of the older half, so that the recent past stays fine and the far past coarse. */
function thinMiddle<R>(readings: R[]): R[] {
  if (readings.length < checkpointLimit) return readings;
  const half = Math.ceil(readings.length / 2);
  return thinMiddle([...readings.slice(0, half).filter((_, index) => index % 2 === 0), ...readings.slice(half)]);
}
