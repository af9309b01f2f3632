import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { type RunRecord, readRun } from '../state/runs.js';
import type { RuntimeState } from '../state/runtime-state.js';

/** How long a load has been waited for. Times are milliseconds since 1970. Remembered in the run's record between the polls. */
export const loadClockSchema = z.object({
  /** Last time that more rows had arrived than before; entering the state counts. */
  progressAt: z.number(),
  rows: z.number(),
  lookedAt: z.number(),
  /** Last time that the pipe was told to look again. */
  refreshedAt: z.number().nullable(),
});
export type LoadClock = z.infer<typeof loadClockSchema>;

const minutes = 60_000;
/** Snowpipe takes a minute as a rule: after three its notification may have been lost. */
const refreshAfter = 3 * minutes;
const giveUpAfter = 30 * minutes;
/** The state machine polls every 30 seconds at most. Longer silence: the execution had ended, and has entered the state anew. */
const reentryAfter = 5 * minutes;

/** One poll: what the clock shows now, and what is due. Pure. */
export function tick(clock: LoadClock | null, now: number, rows: number): { clock: LoadClock; due: 'wait' | 'refresh' | 'give-up' } {
  if (!clock || now - clock.lookedAt > reentryAfter) {
    return { clock: { progressAt: now, rows, lookedAt: now, refreshedAt: null }, due: 'wait' };
  }
  const next = { ...clock, rows, lookedAt: now, progressAt: rows > clock.rows ? now : clock.progressAt };
  if (now - next.progressAt >= giveUpAfter) return { clock: next, due: 'give-up' };
  const quietSince = Math.max(next.progressAt, next.refreshedAt ?? 0);
  if (now - quietSince >= refreshAfter) return { clock: { ...next, refreshedAt: now }, due: 'refresh' };
  return { clock: next, due: 'wait' };
}

export async function readLoadClock(state: RuntimeState, runId: string): Promise<LoadClock | null> {
  const record = (await readRun(state, runId)) as (RunRecord & { loadClock?: unknown }) | undefined;
  return loadClockSchema.nullable().parse(record?.loadClock ?? null);
}

/** Null: whoever enters the state next begins to wait anew. */
export async function writeLoadClock(state: RuntimeState, runId: string, clock: LoadClock | null): Promise<void> {
  await state.documents.send(
    new UpdateCommand({
      TableName: state.table,
      Key: { pk: `run#${runId}`, sk: 'run' },
      UpdateExpression: 'SET loadClock = :clock',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':clock': clock },
    }),
  );
}
