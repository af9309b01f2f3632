import { describe, expect, it } from 'vitest';
import { type LoadClock, tick } from '../../../core/workflow/load-clock.js';

const minute = 60_000;
const start = Date.parse('2025-11-05T12:00:00Z');

/** Polls every half minute; `rows` says how many have arrived after so many minutes. */
function poll(minutes: number, rows: (minute: number) => number) {
  let clock: LoadClock | null = null;
  const due: { minute: number; due: string }[] = [];
  for (let at = 0; at <= minutes; at += 0.5) {
    const step = tick(clock, start + at * minute, rows(at));
    clock = step.clock;
    if (step.due !== 'wait') due.push({ minute: at, due: step.due });
    if (step.due === 'give-up') break;
  }
  return due;
}

describe('waiting for a pipe', () => {
  it('refreshes every 3 minutes without a row, and gives up after 30', () => {
    const refreshes = [3, 6, 9, 12, 15, 18, 21, 24, 27].map((at) => ({ minute: at, due: 'refresh' }));
    expect(poll(60, () => 0)).toEqual([...refreshes, { minute: 30, due: 'give-up' }]);
  });

  it('waits as long as rows arrive', () => {
    expect(poll(120, (at) => Math.floor(at / 2))).toEqual([]);
  });

  it('counts anew from the last row that arrived', () => {
    expect(poll(60, (at) => (at < 10 ? 0 : 5)).at(-1)).toEqual({ minute: 40, due: 'give-up' });
  });

  it('begins anew when the state is entered again, hours later', () => {
    const { clock } = tick(null, start, 0);
    expect(tick(clock, start + 300 * minute, 0)).toEqual({
      clock: { progressAt: start + 300 * minute, rows: 0, lookedAt: start + 300 * minute, refreshedAt: null },
      due: 'wait',
    });
  });
});
