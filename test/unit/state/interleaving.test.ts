import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { ulid } from 'ulid';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Mode, RunRef } from '../../../core/plan/plan.js';
import { acquire, commitTable, joinOrStart, markSnapshotTaken, reacquire } from '../../../core/state/claim.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { readTableState } from '../../../core/state/table-state.js';
import { ExecutionsDouble } from './executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from './local-aws.js';

let aws: LocalAws;
let documents: DynamoDBDocumentClient;

beforeAll(async () => {
  aws = await startLocalAws();
  documents = await createStateTable('state');
});
afterAll(() => aws.stop());

/** Where a run's execution ends by failing; `zombie`: it is marked as ended before its last write, which still goes out. */
const faults = ['none', 'none', 'before acquiring', 'before reading', 'before committing', 'zombie'] as const;
interface Fate {
  fault: (typeof faults)[number];
  /** Steps of the schedule until it is redriven; null: never. */
  redrivenAfter: number | null;
}
interface Caller {
  /** Steps of the schedule until the caller has written and calls. */
  comesAfter: number;
  mode: Mode;
  /** Dies after its claim is written and before its run is started; Snowflake repeats the call or does not. */
  killed: boolean;
  repeated: boolean;
}

class Killed extends Error {}

/** One step of the schedule. Errors travel as values: the scheduler reports a rejection of its own copy of the promise. */
function scheduled<A extends unknown[], R>(scheduler: fc.Scheduler, run: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  const settled = scheduler.scheduleFunction((...args: A) =>
    run(...args).then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    ),
  );
  return async (...args) => (await settled(...args))();
}

/** One table, its source as a counter of writes, callers and executions; every access to DynamoDB or Step Functions is one scheduled step. */
class World {
  source = 0;
  readonly executions = new ExecutionsDouble();
  readonly workflows: Promise<void>[] = [];
  /** What the source held when the run read it. */
  readonly snapshots = new Map<string, number>();
  readonly commits: { runId: string; version: number; snapshot: number }[] = [];
  readonly fences: { runId: string; fence: number }[] = [];
  readonly ended = new Set<string>();
  readonly state: RuntimeState;
  private readonly ref = { source: 'PostgreSQL', database: 'clr', table: `orders_${ulid()}` };
  readonly tick: () => Promise<void>;

  constructor(
    private readonly scheduler: fc.Scheduler,
    private readonly fates: Fate[],
  ) {
    const step = <A extends unknown[], R>(run: (...args: A) => Promise<R>) => scheduled(scheduler, run);
    this.tick = step(async () => {});
    const launch = async (name: string, input: unknown) => {
      const known = this.executions.started.length;
      await this.executions.start(name, input);
      if (this.executions.started.length > known)
        this.workflows.push(this.execute(input as RunRef, this.fates[known % this.fates.length]!));
    };
    this.state = {
      table: 'state',
      documents: { send: step((command: never) => documents.send(command)) } as unknown as DynamoDBDocumentClient,
      executions: {
        arn: (name) => this.executions.arn(name),
        describe: step((arn: string) => this.executions.describe(arn)),
        start: step(launch),
        redrive: (arn) => this.executions.redrive(arn),
      },
    };
  }

  async call({ comesAfter, mode, killed, repeated }: Caller): Promise<{ written: number; runId: string } | null> {
    await this.wait(comesAfter);
    const written = ++this.source;
    const candidate: RunRef = { runId: ulid(), ...this.ref };
    const dying: RuntimeState = {
      ...this.state,
      executions: {
        ...this.state.executions,
        start: async () => {
          throw new Killed();
        },
      },
    };
    try {
      return { written, ...(await joinOrStart(killed ? dying : this.state, candidate, mode)) };
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      return repeated ? { written, ...(await joinOrStart(this.state, candidate, mode)) } : null;
    }
  }

  private async wait(steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) await this.tick();
  }

  private async execute(run: RunRef, { fault, redrivenAfter }: Fate): Promise<void> {
    let failed = fault;
    let baseVersion: number | null = null;
    const dies = async (at: Fate['fault']) => {
      if (failed !== at) return false;
      failed = 'none';
      this.executions.set(run.runId, 'failed');
      if (redrivenAfter === null) return true;
      await this.wait(redrivenAfter);
      this.executions.set(run.runId, 'alive');
      return false;
    };
    try {
      if (await dies('before acquiring')) return;
      for (;;) {
        const turn = await acquire(this.state, run);
        if (turn.acquired) {
          this.fences.push({ runId: run.runId, fence: turn.fence });
          break;
        }
        await this.tick();
      }
      if (await dies('before reading')) return;
      baseVersion = (await markSnapshotTaken(this.state, run)).version;
      await this.tick();
      this.snapshots.set(run.runId, this.source);
      await this.tick();
      if (await dies('before committing')) return;
      await reacquire(this.state, run, baseVersion);
      if (failed === 'zombie') this.executions.set(run.runId, 'failed');
      await commitTable(this.state, run, { baseVersion, watermarkAfter: null, order: '' });
      this.commits.push({ runId: run.runId, version: baseVersion + 1, snapshot: this.snapshots.get(run.runId)! });
      if (failed !== 'zombie') this.executions.set(run.runId, 'succeeded');
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'Superseded') throw error;
      this.executions.set(run.runId, 'succeeded');
    } finally {
      this.ended.add(run.runId);
    }
  }

  async run(callers: Caller[]): Promise<({ written: number; runId: string } | null)[]> {
    const calls = Promise.all(callers.map((caller) => this.call(caller)));
    const answers = await this.scheduler.waitFor(calls);
    for (let done = 0; done < this.workflows.length; done++) await this.scheduler.waitFor(this.workflows[done]!);
    return answers;
  }

  tableState() {
    return readTableState({ ...this.state, documents }, this.ref);
  }
}

const callerArbitrary = fc.record<Caller>({
  comesAfter: fc.nat(40),
  mode: fc.constantFrom<Mode>('full', 'incremental'),
  killed: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  repeated: fc.boolean(),
});
const fateArbitrary = fc.record<Fate>({ fault: fc.constantFrom(...faults), redrivenAfter: fc.option(fc.nat(60)) });

it('any order of steps of callers and runs, killed and redriven: one owner at a time, and each caller is read (executions in memory, DynamoDB local)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(callerArbitrary, { minLength: 2, maxLength: 5 }),
      fc.array(fateArbitrary, { minLength: 3, maxLength: 3 }),
      async (scheduler, callers, fates) => {
        const world = new World(scheduler, fates);
        const answers = await world.run(callers);

        // One owner at a time: each version was committed by one run, and what was read never goes backwards.
        const commits = world.commits.toSorted((a, b) => a.version - b.version);
        expect(commits.map(({ version }) => version)).toEqual(commits.map((_, i) => i + 1));
        expect(commits.map(({ snapshot }) => snapshot)).toEqual(commits.map(({ snapshot }) => snapshot).toSorted((a, b) => a - b));
        expect((await world.tableState()).version).toBe(commits.length);
        // A fence belongs to one run.
        expect(new Set(world.fences.map(({ fence }) => fence)).size).toBe(world.fences.length);

        for (const answer of answers) {
          if (!answer) continue;
          // The caller's run was started and has ended, and if it read anything, it read what the caller had written.
          expect(world.ended).toContain(answer.runId);
          expect(world.snapshots.get(answer.runId) ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(answer.written);
        }
      },
    ),
    { numRuns: 30, endOnFailure: true },
  );
}, 120_000);
