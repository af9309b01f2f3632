import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceOfOrder } from '../../../core/column.js';
import type { Plan } from '../../../core/plan/plan.js';
import type { Row, Warehouse } from '../../../core/warehouse/snowflake.js';
import { workTables } from './held-up.js';
import { type LocalSnowflake, startLocalSnowflake } from './local-snowflake.js';
import { type Event, history, planChanges, type Read, type Shape, Source, Staging, shapes } from './merge-model.js';
import { call, load, planOf, prepare, process as processRun, seal, staged } from './table.js';

/** Another seed, more runs: FIRN_SEED=7 FIRN_RUNS=100 vitest run … */
const seed = Number(process.env.FIRN_SEED ?? 20251105);
const numRuns = Number(process.env.FIRN_RUNS ?? 1);

let snowflake: LocalSnowflake;
let warehouse: Warehouse;
beforeAll(async () => {
  snowflake = await startLocalSnowflake();
  warehouse = snowflake.warehouse;
});
afterAll(() => snowflake?.stop());

interface Run {
  plan: Plan;
  read: Read;
}

/** Puts a run's files into raw; `doubled`: the pipe loads them twice. */
async function loadRun({ plan, read }: Run, doubled: boolean): Promise<void> {
  for (let i = 0; i < (doubled ? 2 : 1); i++) {
    await load(warehouse, plan, read.rows, { file: 'rows' });
    await load(warehouse, plan, read.keys, { file: 'keys', op: 'K' });
  }
}

let tables = 0;

async function replay(shape: Shape, how: 'hard' | 'soft', events: Event[]): Promise<void> {
  const table = `history_${tables++}`;
  const [source, staging] = [new Source(shape), new Staging(shape, how)];
  const loaded: Run[] = [];
  const held: Run[] = [];
  let claims = 0;
  let last: Run | null = null;

  const begin = async ({ mode, key }: Event): Promise<Run> => {
    const read = source.read(mode, key, ++claims);
    const run = { read, plan: planOf(table, read.fence, planChanges(shape, mode, how)) };
    await prepare(warehouse, run.plan, read.fence);
    await loadRun(run, key % 4 === 0);
    await seal(warehouse, run.plan, ['rows', 'keys']);
    loaded.push(run);
    return run;
  };
  const merge = async ({ plan, read }: Run, fence: number): Promise<void> => {
    const done = await processRun(warehouse, plan, fence);
    expect(done.superseded ?? false).toBe(!staging.merge(read));
    if (!done.superseded) expect(done.rows_loaded).toBe(read.rows.length);
  };

  const full: Event = { ...events[0]!, kind: 'run', mode: 'full' };
  for (const event of [full, ...events, full, { ...full, kind: 'again' } as Event]) {
    switch (event.kind) {
      case 'write':
        source.write(event);
        break;
      case 'delete':
        source.delete(event);
        break;
      case 'run':
        last = await begin(event);
        await merge(last, last.read.fence);
        source.settled();
        break;
      case 'held':
        held.push(await begin(event));
        break;
      case 'merge-held': {
        // A redrive: its claim is the newest, its rows may be older than merged ones.
        const run = held.splice(event.key % (held.length || 1), 1)[0];
        if (run) await merge(run, ++claims);
        break;
      }
      case 'reload': {
        const run = loaded[event.key % (loaded.length || 1)];
        if (run) await loadRun(run, false);
        if (last) await processRun(warehouse, last.plan, last.read.fence);
        break;
      }
      case 'again':
        if (last) {
          const done = (await call(warehouse, 'CALL FIRN.PROCESS_TABLE(?, ?, ?)', ['PostgreSQL', 'clr', table])) as Row;
          expect([done.rows_inserted, done.rows_updated, done.rows_deleted]).toEqual([0, 0, 0]);
        }
    }
    if (last && ['run', 'merge-held', 'again', 'reload'].includes(event.kind)) {
      const rows = await staged(warehouse, last.plan, ['_FIRN_DELETED', '_FIRN_ORDER']);
      expect(rows.map((row) => [...row.slice(0, -1), fenceOfOrder(String(row.at(-1)))])).toEqual(staging.rows);
    }
  }
  const living = (await staged(warehouse, last!.plan, ['_FIRN_DELETED']))
    .filter((row) => row.at(-1) === false)
    .map((row) => row.slice(0, -1));
  expect(living).toEqual(source.rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)));
  expect(await workTables(warehouse)).toBe(0);
}

describe('any history of runs, redrives, repeated files and merges again leaves staging as the rules say', () => {
  it.each(Object.entries(shapes))('%s', { timeout: 240_000 }, async (_, shape) => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('hard' as const, 'soft' as const), history, (how, events) => replay(shape, how, events)),
      { seed, numRuns, endOnFailure: true },
    );
  });
});
