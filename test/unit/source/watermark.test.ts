import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkpointLimit, type Reading, safeTime, safeUpper, usableCheckpoints } from '../../../core/source/watermark.js';

/** A model of a database: transactions that begin, take a number, insert, prepare and end in any order; and runs between them. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('begin' as const), slot: fc.nat(5), early: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('insert' as const), slot: fc.nat(5), late: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), slot: fc.nat(5), commit: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('prepare' as const), slot: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('endPrepared' as const), slot: fc.nat(5), commit: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('run' as const), between: fc.boolean() }) },
);

interface Row {
  id: number;
  stamp: number;
}
interface Transaction {
  xid: string;
  start: number;
  /** A number taken from the sequence before it was used. */
  taken: number | null;
  rows: Row[];
}

const text = (time: number): string => new Date(time).toISOString().replace('Z', '000Z');

function simulate(steps: (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) {
  let clock = 1;
  let sequence = 0;
  let xid = 0;
  const open = new Map<number, Transaction>();
  const prepared: Transaction[] = [];
  const committed: Row[] = [];
  const read = { time: new Set<number>(), integer: new Set<number>() };
  let history: Reading[] = [];
  let bounds: { time: string | null; integer: string | null } = { time: null, integer: null };

  const run = (changes: () => void) => {
    const upper = committed.length ? String(Math.max(...committed.map(({ id }) => id))) : null;
    const readAt = text(clock++);
    const fence = text(Math.min(clock++, ...[...open.values()].map(({ start }) => start)));
    changes();
    const present: Reading = { upper, readAt, fence, prepared: prepared.map((transaction) => transaction.xid) };
    for (const { id, stamp } of committed) {
      if (bounds.time === null || text(stamp) >= bounds.time) read.time.add(id);
      if (bounds.integer === null || id >= Number(bounds.integer)) read.integer.add(id);
    }
    bounds = { time: safeTime(history, present), integer: safeUpper(history, present) };
    history = [...usableCheckpoints(history, present), present];
  };

  for (const action of steps) {
    clock++;
    const transaction = 'slot' in action ? open.get(action.slot) : undefined;
    if (action.do === 'run') {
      // A transaction may be prepared between the reading of the fence and that of the prepared ones.
      run(() => {
        const first = action.between ? [...open].at(0) : undefined;
        if (first) prepared.push(first[1]);
        if (first) open.delete(first[0]);
      });
    } else if (action.do === 'begin' && !transaction) {
      open.set(action.slot, { xid: String(++xid), start: clock, taken: action.early ? ++sequence : null, rows: [] });
    } else if (action.do === 'insert' && transaction) {
      transaction.rows.push({ id: transaction.taken ?? ++sequence, stamp: action.late ? clock : transaction.start });
      transaction.taken = null;
    } else if (action.do === 'end' && transaction) {
      if (action.commit) committed.push(...transaction.rows);
      open.delete(action.slot);
    } else if (action.do === 'prepare' && transaction) {
      prepared.push(transaction);
      open.delete(action.slot);
    } else if (action.do === 'endPrepared' && prepared.length) {
      const [ended] = prepared.splice(action.slot % prepared.length, 1);
      if (action.commit) committed.push(...ended!.rows);
    }
  }
  run(() => {});
  const missed = (seen: Set<number>) => committed.filter(({ id }) => !seen.has(id));
  return { missedByTime: missed(read.time), missedByInteger: missed(read.integer), kept: history.length };
}

describe('the cursor rule', () => {
  it('misses no row, in whatever order transactions begin, prepare and end around the runs', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), (steps) => {
        const { missedByTime, missedByInteger, kept } = simulate(steps);
        expect({ missedByTime, missedByInteger }).toEqual({ missedByTime: [], missedByInteger: [] });
        expect(kept).toBeLessThanOrEqual(checkpointLimit + 1);
      }),
      { numRuns: 2000 },
    );
  });

  const at = (second: number): string => text(second * 1000);
  const reading = (second: number, changes: Partial<Reading> = {}): Reading => ({
    readAt: at(second),
    fence: at(second),
    prepared: [],
    upper: String(second * 10),
    ...changes,
  });

  it.each([
    { name: 'nothing open: the fence itself', history: [reading(10)], present: reading(20), safe: at(20), upper: '200' },
    { name: 'a transaction open since 12', history: [reading(10)], present: reading(20, { fence: at(12) }), safe: at(12), upper: '100' },
    { name: 'the first run, a transaction prepared', history: [], present: reading(20, { prepared: ['7'] }), safe: null, upper: null },
    {
      name: 'prepared since before the last run, after the one before',
      history: [reading(10), reading(20, { prepared: ['7'] })],
      present: reading(30, { prepared: ['7'] }),
      safe: at(10),
      upper: '100',
    },
    {
      name: 'prepared earlier than all runs',
      history: [reading(10, { prepared: ['7'] })],
      present: reading(30, { prepared: ['7'] }),
      safe: null,
      upper: null,
    },
    { name: 'a clock that was set back', history: [reading(50)], present: reading(40), safe: at(40), upper: '400' },
    { name: 'an empty table', history: [], present: reading(20, { upper: null }), safe: at(20), upper: null },
  ])('$name', ({ history, present, safe, upper }) => {
    expect(safeTime(history, present)).toBe(safe);
    expect(safeUpper(history, present)).toBe(upper);
  });

  it('keeps few checkpoints while one transaction stays prepared for ever', () => {
    let history: Reading[] = [reading(1)];
    for (let second = 2; second < 500; second++) {
      const present = reading(second, { prepared: ['7'] });
      expect(safeTime(history, present)).toBe(at(1));
      history = [...usableCheckpoints(history, present), present];
    }
    expect(history.length).toBeLessThanOrEqual(checkpointLimit + 1);
  });
});
