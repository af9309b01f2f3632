import { expect, it, vi } from 'vitest';
import { Random } from '../source/random.js';
import { explore, type Schedule } from './explorer.js';
import { World } from './workflow-model.js';

// Permits are tried in a chance order: here always in the same one.
vi.spyOn(Math, 'random').mockReturnValue(0.5);

interface Scenario {
  name: string;
  tables?: string[];
  permits?: number;
  happens: (world: World) => void;
}

const scenarios: Scenario[] = [
  {
    name: 'callers of both modes before, during and after the reading',
    happens: (world) => {
      world.call('a', 'orders', 'incremental');
      world.call('b', 'orders', 'full');
      world.call('c', 'orders', 'incremental', { at: [0, 'Extract'] });
      world.call('d', 'orders', 'full', { at: [0, 'Commit'] });
    },
  },
  {
    name: 'a batch that is sent twice, and whose first answer dies',
    happens: (world) => {
      world.call('a', 'orders', 'incremental', { posts: 2 });
      world.killStart('a');
      world.call('b', 'orders', 'incremental', { posts: 2, at: [0, 'Extract'] });
    },
  },
  {
    name: 'a batch whose answer dies and is never sent again',
    happens: (world) => {
      world.call('a', 'orders', 'incremental');
      world.killStart('a');
      world.call('b', 'orders', 'incremental', { at: null });
    },
  },
  {
    name: 'an owner that is stopped, told of twice, and redriven while a newer run reads',
    happens: (world) => {
      world.call('a', 'orders', 'incremental');
      world.disturb(0, 'abort', { at: [0, 'Process'], redriven: [1, 'Extract'], events: 2 });
      world.call('b', 'orders', 'incremental', { at: null });
    },
  },
  {
    name: 'an owner that is stopped before its commit, and redriven after a newer run has committed',
    happens: (world) => {
      world.call('a', 'orders', 'incremental');
      world.disturb(0, 'abort', { at: [0, 'Commit'], redriven: null });
      world.call('b', 'orders', 'incremental', { at: null });
    },
  },
  {
    name: 'an owner that is stopped while it plans, and redriven after a newer run was stopped too',
    happens: (world) => {
      world.call('a', 'orders', 'incremental');
      world.disturb(0, 'abort', { redriven: [1, 'Verify'] });
      world.call('b', 'orders', 'full', { at: null });
      world.disturb(1, 'abort', { at: [1, 'Verify'], redriven: null });
    },
  },
  {
    name: 'a waiting run that was lifted to full, loses its place while it is stopped, and is redriven',
    happens: (world) => {
      world.call('a', 'orders', 'incremental');
      world.call('b', 'orders', 'incremental', { at: [0, 'Extract'] });
      world.call('c', 'orders', 'full', { at: [0, 'Seal'] });
      world.disturb(1, 'abort', { at: [0, 'Process'], redriven: [2, 'Extract'] });
      world.call('d', 'orders', 'incremental', { at: [0, 'Verify'] });
    },
  },
  {
    name: 'Lambdas that go on after their run has lost the table for good',
    happens: (world) => {
      world.call('a', 'orders', 'incremental');
      world.call('b', 'orders', 'full', { at: [0, 'Process'] });
      world.disturb(0, 'abort');
      world.disturb(1, 'abort');
    },
  },
  {
    name: 'a Lambda that dies, and one that exceeds its time and goes on beside its retry',
    happens: (world) => {
      world.call('a', 'orders', 'incremental');
      world.disturb(0, 'die');
      world.disturb(0, 'time out');
      world.call('b', 'orders', 'incremental', { at: [0, 'Extract'] });
    },
  },
  {
    name: 'two tables with one permit, whose holder is stopped and redriven',
    tables: ['orders', 'lines'],
    permits: 1,
    happens: (world) => {
      world.call('a', 'orders', 'incremental');
      world.call('b', 'lines', 'incremental', { at: [0, 'Plan'] });
      world.disturb(0, 'abort', { at: [0, 'Extract'], redriven: [1, 'Extract'] });
    },
  },
];

async function play(schedule: Schedule, { tables = ['orders'], permits = 2, happens }: Scenario): Promise<number> {
  const world = new World(schedule, permits, tables);
  happens(world);
  await schedule.run();
  const decisions = schedule.choices.length;
  // Whatever has happened, the next call brings all there is.
  for (const table of tables) world.call(`last of ${table}`, table, 'incremental');
  await schedule.run();

  const ended = (runId: string) => !world.isAlive({ runId });
  for (const table of tables) {
    const { current, next, version, recentRuns } = await world.tableState(table);
    expect(world.warehouse.staging.get(table)!.size, 'rows in staging').toBe(world.source.written(table));
    expect(new Set(recentRuns).size, 'each run commits once').toBe(version);
    for (const claim of [current, next]) if (claim) expect(ended(claim.runId), 'a claim of a run that has ended').toBe(true);
  }
  expect(
    world.permitHolders().filter((arn) => world.isAlive({ runId: arn.split(':').at(-1)! })),
    'permits of live runs',
  ).toEqual([]);
  expect(new Set(world.published).size, 'each failure is published once').toBe(world.published.length);

  const runOf = new Map<string, string>();
  for (const { batch, mode, written, runId } of world.answers) {
    expect(runOf.get(batch) ?? runId, 'one batch, one run').toBe(runId);
    runOf.set(batch, runId);
    const record = world.record(runId)!;
    expect(ended(runId), 'a caller whose run never ends').toBe(true);
    expect(record.status, 'a receipt that says RUNNING for ever').not.toBe('RUNNING');
    if (record.status !== 'SUCCEEDED') continue;
    expect(world.functions.snapshots.get(runId), 'a caller reads what he wrote').toBeGreaterThanOrEqual(written);
    if (mode === 'full') expect(record.receipt.mode, 'who asks for all gets all').toBe('full');
  }
  for (const { name } of world.executions.started) {
    if (world.executions.liveness(name) === 'succeeded') expect(['SUCCEEDED', 'SUPERSEDED']).toContain(world.record(name)!.status);
  }
  return decisions;
}

it.each(scenarios)(
  '$name (DynamoDB, S3, Step Functions, source and warehouse in memory)',
  async (scenario) => {
    const explored = await explore((schedule) => play(schedule, scenario), 40, new Random(1));
    console.log(`${explored.schedules} schedules, ${explored.steps} steps`);
  },
  600_000,
);
