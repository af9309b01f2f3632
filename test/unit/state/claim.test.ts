import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Mode, RunRef, Watermark } from '../../../core/plan/plan.js';
import { abandonTable, acquire, commitTable, joinOrStart, markSnapshotTaken, reacquire } from '../../../core/state/claim.js';
import { readRun } from '../../../core/state/runs.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { readTableState } from '../../../core/state/table-state.js';
import { ExecutionsDouble } from './executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from './local-aws.js';

let aws: LocalAws;
let documents: DynamoDBDocumentClient;
let executions: ExecutionsDouble;
let state: RuntimeState;
let table: string;

beforeAll(async () => {
  aws = await startLocalAws();
  documents = await createStateTable('state');
});
afterAll(() => aws.stop());
beforeEach(() => {
  executions = new ExecutionsDouble();
  state = { documents, table: 'state', executions };
  table = `orders_${ulid()}`;
});

const newRun = (): RunRef => ({ runId: ulid(), source: 'PostgreSQL', database: 'clr', table });
const watermark = (fence: string): Watermark => ({
  cursorColumn: 'updated_at',
  kind: 'time',
  fence,
  prepared: [],
  upper: null,
  readAt: fence,
  safe: fence,
  lowerBound: fence,
});
const planOn = (baseVersion: number, watermarkAfter: Watermark | null = null) => ({
  baseVersion,
  watermarkAfter,
  order: `order ${baseVersion}`,
});

async function started(mode: Mode = 'incremental'): Promise<RunRef> {
  const run = newRun();
  const { runId } = await joinOrStart(state, run, mode);
  return { ...run, runId };
}
async function reading(mode: Mode = 'incremental'): Promise<RunRef> {
  const run = await started(mode);
  await acquire(state, run);
  await markSnapshotTaken(state, run);
  return run;
}
const supersededError = expect.objectContaining({ name: 'Superseded' });

describe('a call finds its run (executions in memory, DynamoDB local)', () => {
  it('starts one where nobody reads the table, named and fed by the run', async () => {
    const run = newRun();
    expect(await joinOrStart(state, run, 'full')).toEqual({ runId: run.runId, joined: false });
    expect(executions.started).toEqual([{ name: run.runId, input: run }]);
    expect(await readRun(state, run.runId)).toMatchObject({
      run,
      mode: 'full',
      status: 'RUNNING',
      executionArn: executions.arn(run.runId),
    });
    expect((await readTableState(state, run)).current).toMatchObject({ runId: run.runId, mode: 'full', fence: 1, snapshotTaken: false });
  });

  it('gives the same answer to the same candidate, and starts it once', async () => {
    const run = newRun();
    await joinOrStart(state, run, 'full');
    expect(await joinOrStart(state, run, 'full')).toEqual({ runId: run.runId, joined: false });
    expect(executions.started).toHaveLength(1);
  });

  it.each<{
    name: string;
    owner: () => Promise<RunRef>;
    waiting?: Mode;
    asked: Mode;
    expected: 'owner' | 'waiting' | 'new';
    lifted?: Mode;
  }>([
    { name: 'joins the owner that has not begun to read', owner: () => started(), asked: 'incremental', expected: 'owner' },
    { name: 'follows an owner that reads', owner: () => reading(), asked: 'incremental', expected: 'new' },
    { name: 'follows an owner of another mode', owner: () => started(), asked: 'full', expected: 'new' },
    { name: 'joins the waiting run', owner: () => reading(), waiting: 'incremental', asked: 'incremental', expected: 'waiting' },
    {
      name: 'joins a waiting full run, which does more',
      owner: () => reading(),
      waiting: 'full',
      asked: 'incremental',
      expected: 'waiting',
    },
    {
      name: 'lifts a waiting run to full',
      owner: () => reading(),
      waiting: 'incremental',
      asked: 'full',
      expected: 'waiting',
      lifted: 'full',
    },
  ])('$name', async ({ owner, waiting, asked, expected, lifted }) => {
    const current = await owner();
    const next = waiting ? await started(waiting) : undefined;
    const candidate = newRun();
    const { runId, joined } = await joinOrStart(state, candidate, asked);
    expect(runId).toBe({ owner: current, waiting: next, new: candidate }[expected]?.runId);
    expect(joined).toBe(expected !== 'new');
    expect(executions.started.map(({ name }) => name)).toContain(runId);
    if (lifted) expect((await readTableState(state, candidate)).next?.mode).toBe(lifted);
  });

  it('takes over an owner that has ended, with the next fence', async () => {
    const dead = await reading();
    executions.set(dead.runId, 'failed');
    const run = await started();
    expect(run.runId).not.toBe(dead.runId);
    expect((await readTableState(state, run)).current).toMatchObject({ runId: run.runId, fence: 2, snapshotTaken: false });
  });

  it('joins the waiting run when the owner has ended', async () => {
    const dead = await reading();
    const next = await started();
    executions.set(dead.runId, 'failed');
    expect((await started()).runId).toBe(next.runId);
  });

  it('joins the waiting run when the owner has committed', async () => {
    const owner = await reading();
    const next = await started();
    await commitTable(state, owner, planOn(0));
    expect((await started()).runId).toBe(next.runId);
  });

  it('replaces a waiting run that has ended', async () => {
    await reading();
    const dead = await started();
    executions.set(dead.runId, 'failed');
    const run = await started();
    expect((await readTableState(state, run)).next).toMatchObject({ runId: run.runId });
    expect(run.runId).not.toBe(dead.runId);
  });

  it('starts the owner that was claimed for when its caller died', async () => {
    const lost = newRun();
    executions.start = async () => {
      throw new Error('killed');
    };
    await expect(joinOrStart(state, lost, 'full')).rejects.toThrow('killed');
    const fresh = new ExecutionsDouble();
    state = { ...state, executions: fresh };
    expect(await joinOrStart(state, newRun(), 'full')).toEqual({ runId: lost.runId, joined: true });
    expect(fresh.started).toEqual([{ name: lost.runId, input: lost }]);
  });

  it('takes over a run that Step Functions has forgotten after 90 days, and does not start it again', async () => {
    const old = { ...newRun(), runId: ulid(Date.now() - 91 * 86_400_000) };
    await joinOrStart(state, old, 'incremental');
    const forgetful = new ExecutionsDouble();
    state = { ...state, executions: forgetful };
    const run = newRun();
    expect(await joinOrStart(state, run, 'incremental')).toEqual({ runId: run.runId, joined: false });
    expect(forgetful.started).toEqual([{ name: run.runId, input: run }]);
  });

  it('lifts the waiting run to full when a full one that lost its place comes back by a redrive', async () => {
    const owner = await reading();
    const full = await started('full');
    executions.set(full.runId, 'failed');
    const waiting = await started('incremental');
    executions.set(full.runId, 'alive');
    await expect(acquire(state, full)).rejects.toEqual(supersededError);
    expect((await readTableState(state, owner)).next).toMatchObject({ runId: waiting.runId, mode: 'full' });
    expect((await readRun(state, waiting.runId))?.mode).toBe('full');
  });

  it('has exactly one follow-up for many simultaneous callers', async () => {
    await reading();
    const answers = await Promise.all(Array.from({ length: 20 }, () => joinOrStart(state, newRun(), 'incremental')));
    expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
    expect(answers.filter(({ joined }) => !joined)).toHaveLength(1);
    expect(executions.started).toHaveLength(2);
  });
});

describe('a run owns its table (executions in memory, DynamoDB local)', () => {
  it('waits while the owner runs and takes its turn when that has committed', async () => {
    const owner = await reading();
    const next = await started();
    expect(await acquire(state, next)).toEqual({ acquired: false });
    await commitTable(state, owner, planOn(0));
    expect(await acquire(state, next)).toMatchObject({ acquired: true, fence: 2, version: 1 });
  });

  it('gets the mode to which it was lifted while it waited', async () => {
    const owner = await reading();
    const next = await started();
    await started('full');
    executions.set(owner.runId, 'failed');
    expect(await acquire(state, next)).toMatchObject({ acquired: true, mode: 'full' });
    expect((await readRun(state, next.runId))?.mode).toBe('full');
  });

  it('acquires again what it has', async () => {
    const run = await started();
    expect(await acquire(state, run)).toMatchObject({ acquired: true, fence: 1 });
    expect(await acquire(state, run)).toMatchObject({ acquired: true, fence: 1 });
  });

  it('is superseded when a redrive finds the table in other hands', async () => {
    const old = await reading();
    executions.set(old.runId, 'failed');
    const young = await reading();
    executions.set(old.runId, 'alive');
    await expect(reacquire(state, old, 0)).rejects.toEqual(supersededError);
    await expect(commitTable(state, old, planOn(0))).rejects.toEqual(supersededError);
    await commitTable(state, young, planOn(0));
    await expect(reacquire(state, old, 0)).rejects.toEqual(supersededError);
  });

  it('takes the table back from a younger run that ended without committing', async () => {
    const old = await reading();
    executions.set(old.runId, 'failed');
    const young = await reading();
    executions.set(young.runId, 'failed');
    executions.set(old.runId, 'alive');
    expect(await reacquire(state, old, 0)).toMatchObject({ fence: 3, version: 0 });
    await expect(reacquire(state, young, 0)).rejects.toEqual(supersededError);
  });

  it('is joined by nobody after it took the table back: it has read already', async () => {
    const old = await reading();
    executions.set(old.runId, 'failed');
    const young = await reading();
    executions.set(young.runId, 'failed');
    executions.set(old.runId, 'alive');
    await reacquire(state, old, 0);
    expect((await started()).runId).not.toBe(old.runId);
  });

  it('waits again, or steps back, when it lost its place before it read anything', async () => {
    const owner = await reading();
    const lost = await started();
    executions.set(lost.runId, 'failed');
    const replacement = await started();
    executions.set(lost.runId, 'alive');
    await expect(acquire(state, lost)).rejects.toEqual(supersededError);
    executions.set(replacement.runId, 'failed');
    expect(await acquire(state, lost)).toEqual({ acquired: false });
    executions.set(owner.runId, 'failed');
    expect(await acquire(state, lost)).toMatchObject({ acquired: true });
  });

  it('commits once: version, watermark, last run; the table is free', async () => {
    const run = await reading();
    const after = watermark('2026-01-01T00:00:00.000000Z');
    await commitTable(state, run, planOn(0, after));
    await commitTable(state, run, planOn(0, after));
    const committed = await readTableState(state, run);
    expect(committed).toMatchObject({
      version: 1,
      watermark: after,
      checkpoints: [after],
      lastRun: { runId: run.runId, order: 'order 0' },
    });
    expect(committed.current).toBeUndefined();
  });

  it('recognises its commit when another run has committed since', async () => {
    const first = await reading();
    await commitTable(state, first, planOn(0));
    const second = await reading();
    await commitTable(state, second, planOn(1));
    await commitTable(state, first, planOn(0));
    expect(await readTableState(state, first)).toMatchObject({ version: 2, lastRun: { runId: second.runId } });
  });

  it('keeps the watermark when the plan has none', async () => {
    const first = await reading();
    const after = watermark('2026-01-01T00:00:00.000000Z');
    await commitTable(state, first, planOn(0, after));
    const second = await reading('full');
    await commitTable(state, second, planOn(1));
    expect(await readTableState(state, first)).toMatchObject({ version: 2, watermark: after, checkpoints: [after] });
  });

  it('gives up only what is its own', async () => {
    const owner = await reading();
    const next = await started();
    await abandonTable(state, next);
    expect(await readTableState(state, owner)).toMatchObject({ current: { runId: owner.runId } });
    expect((await readTableState(state, owner)).next).toBeUndefined();
    await abandonTable(state, newRun());
    await abandonTable(state, owner);
    expect((await readTableState(state, owner)).current).toBeUndefined();
  });
});
