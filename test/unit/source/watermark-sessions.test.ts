import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Reading, safeTime, usableCheckpoints } from '../../../core/source/watermark.js';
import { IncrementalRuns, readAll, runOnce } from './incremental-runs.js';
import { Random, randomSeed } from './random.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';
import { createOrders, type Transaction, WritingSessions } from './writing-sessions.js';

let server: RunningPostgres;
let admin: Client;
let reader: Client;
let writers: Client[];
beforeAll(async () => {
  server = await startPostgres();
  admin = await server.connect();
  reader = await server.connect({ application: 'firn' });
  writers = await Promise.all(Array.from({ length: 7 }, () => server.connect()));
});
afterAll(() => server.stop());
beforeEach(async () => {
  // What a schedule that failed has left.
  for (const writer of writers) await writer.query('ROLLBACK');
  const { rows } = await admin.query<{ gid: string }>('SELECT gid FROM pg_prepared_xacts');
  for (const { gid } of rows) await admin.query(`ROLLBACK PREPARED '${gid}'`);
  await admin.query(createOrders);
});

const zone = { cursor_time_zone: 'Europe/Berlin' };
/** `updates`: whether the cursor rises with an UPDATE. `bites`: whether MAX(cursor) loses rows in a test that lasts seconds. */
const kinds = [
  { cursor_column: 'changed', updates: true, bites: true },
  { cursor_column: 'local', ...zone, updates: true, bites: true },
  { cursor_column: 'day', ...zone, updates: true, bites: false },
  { cursor_column: 'id', updates: false, bites: true },
  { cursor_column: 'uid', updates: false, bites: true },
  { cursor_column: 'uid_text', updates: false, bites: true },
  { cursor_column: 'ulid', updates: false, bites: true },
  { cursor_column: 'xmin', updates: true, bites: true },
];

/** The same rule on the numbers of the schedule's steps in place of times: from which step on a run may read again. */
class Steps {
  private history: Reading[] = [];
  private planned: (Reading & { firstWrite: number }) | null = null;
  /** Of the last committed plan. */
  safe: string | null = null;
  firstWrite = 0;

  constructor(private readonly sessions: WritingSessions) {}

  plan(): void {
    const { step, openTransactions, prepared } = this.sessions;
    const began = openTransactions.map((each) => each.began);
    const wrote = [...openTransactions, ...prepared.values()].flatMap((each: Transaction) => each.wrote ?? []);
    this.planned ??= {
      fence: text(Math.min(step, ...began)),
      readAt: text(step),
      upper: null,
      prepared: [...prepared.keys()],
      firstWrite: Math.min(step, ...wrote),
    };
  }

  commit(): void {
    this.safe = safeTime(this.history, this.planned!);
    this.firstWrite = this.planned!.firstWrite;
    this.history = [...usableCheckpoints(this.history, this.planned!), this.planned!];
    this.planned = null;
  }

  abandon(): void {
    this.planned = null;
  }
}

const text = (step: number): string => String(step).padStart(6, '0');

/** Random sessions, and runs between them: some commit what was written between their fence and their snapshot, some fail and are repeated. */
async function simulate(seed: number, actions: number) {
  const random = new Random(seed);
  const sessions = new WritingSessions(writers, admin, random);
  const runs = kinds.map(({ updates: _, bites: __, ...settings }) => new IncrementalRuns({ ...settings }));
  const [changed, xmin] = [runs[0]!, runs.at(-1)!];
  const steps = new Steps(sessions);
  let count = 0;
  let again = 0;

  const boundReread = () => {
    for (const { version } of changed.reread) expect(text(sessions.written.get(version)!) >= (steps.safe ?? '')).toBe(true);
    for (const { version } of xmin.reread) expect(sessions.written.get(version)).toBeGreaterThanOrEqual(steps.firstWrite);
    again += changed.reread.length;
  };
  const run = async () => {
    count++;
    steps.plan();
    for (const each of runs) await each.plan(reader);
    const end = random.next();
    if (end < 0.08) {
      // It dies before it has read.
      steps.abandon();
      for (const each of runs) each.abandon();
      return;
    }
    for (let left = random.below(6); left > 0; left--) await sessions.act();
    await readAll(reader, runs);
    boundReread();
    if (end < 0.16) return; // It dies after its MERGE: the next one repeats it by the same plan.
    if (end < 0.24) {
      steps.abandon();
      for (const each of runs) each.abandon();
      return;
    }
    steps.commit();
    for (const each of runs) each.commit();
  };

  // One late commit for certain, so that the control loses a row whatever the seed.
  await sessions.begin(writers[0]!);
  await sessions.insert(writers[0]!);
  await sessions.begin(writers[1]!);
  await sessions.insert(writers[1]!);
  await sessions.end(writers[1]!, true);
  steps.plan();
  await runOnce(reader, runs);
  steps.commit();
  await sessions.end(writers[0]!, true);

  for (let i = 0; i < actions; i++) await (random.chance(0.05) ? run() : sessions.act());
  await sessions.rest();
  for (let i = 0; i < 2; i++) await runOnce(reader, runs);
  // All is at rest: nothing is left to be read again but the row at an integer bound.
  await runOnce(reader, runs);
  return { runs, count, again };
}

async function missed(seen: Map<string, number>, updates: boolean): Promise<number> {
  const { rows } = await admin.query<{ id: string; version: number }>('SELECT id::text, version FROM orders');
  return rows.filter(({ id, version }) => (updates ? seen.get(id) !== version : !seen.has(id))).length;
}

describe('random sessions against a real PostgreSQL: no row is missed by any cursor, where MAX(cursor) loses some', () => {
  it.each([
    { name: 'a fixed seed', seed: 20_261_121, actions: 700 },
    { name: 'a random seed', seed: randomSeed(), actions: 300 },
  ])(
    '$name: $seed',
    async ({ seed, actions }) => {
      const { runs, count, again } = await simulate(seed, actions);
      const result = [];
      for (const [i, { cursor_column, updates }] of kinds.entries()) {
        result.push({
          cursor_column,
          missed: await missed(runs[i]!.staging, updates),
          controlLoses: (await missed(runs[i]!.naive, updates)) > 0,
          readAgainAtRest: runs[i]!.reread.length,
        });
      }
      const { rows } = await admin.query('SELECT count(*)::int AS rows FROM orders');
      console.log(`seed ${seed}: ${rows[0].rows} rows, ${count} runs, ${again} read again`);
      expect(result).toEqual(
        kinds.map(({ cursor_column, bites }) => ({
          cursor_column,
          missed: 0,
          controlLoses: bites,
          // The row at an integer's bound; a date is no finer than a day.
          readAgainAtRest: { id: 1, day: expect.any(Number) }[cursor_column] ?? 0,
        })),
      );
    },
    120_000,
  );
});
