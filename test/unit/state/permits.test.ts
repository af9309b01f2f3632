import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunRef } from '../../../core/plan/plan.js';
import { acquirePermit, releasePermit } from '../../../core/state/permits.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { ExecutionsDouble } from './executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from './local-aws.js';

let aws: LocalAws;
let documents: DynamoDBDocumentClient;
let executions: ExecutionsDouble;
let state: RuntimeState;
let database: string;

beforeAll(async () => {
  aws = await startLocalAws();
  documents = await createStateTable('state');
});
afterAll(() => aws.stop());
beforeEach(() => {
  executions = new ExecutionsDouble();
  state = { documents, table: 'state', executions };
  database = ulid();
});

function running(): RunRef {
  const run = { runId: ulid(), source: 'PostgreSQL', database, table: 'orders' };
  executions.set(run.runId, 'alive');
  return run;
}

describe('permits of a source (executions in memory, DynamoDB local)', () => {
  it('gives out as many as there are, each run keeping its own', async () => {
    const [a, b, c] = [running(), running(), running()];
    expect(await acquirePermit(state, a, 2)).toBe(true);
    expect(await acquirePermit(state, a, 2)).toBe(true);
    expect(await acquirePermit(state, b, 2)).toBe(true);
    expect(await acquirePermit(state, c, 2)).toBe(false);
  });

  it('gives one permit once, however many ask at the same time', async () => {
    const contenders = Array.from({ length: 12 }, running);
    const given = await Promise.all(contenders.map((run) => acquirePermit(state, run, 3)));
    expect(given.filter(Boolean)).toHaveLength(3);
  });

  it('gives a released permit to the next, and releases nothing that is not its own', async () => {
    const [a, b, c] = [running(), running(), running()];
    await acquirePermit(state, a, 1);
    await releasePermit(state, b);
    expect(await acquirePermit(state, c, 1)).toBe(false);
    await releasePermit(state, a);
    await releasePermit(state, a);
    expect(await acquirePermit(state, c, 1)).toBe(true);
  });

  it('takes the permit of an execution that has ended, once', async () => {
    const dead = running();
    await acquirePermit(state, dead, 1);
    executions.set(dead.runId, 'failed');
    const contenders = Array.from({ length: 5 }, running);
    const given = await Promise.all(contenders.map((run) => acquirePermit(state, run, 1)));
    expect(given.filter(Boolean)).toHaveLength(1);
    await releasePermit(state, dead);
    expect(await acquirePermit(state, running(), 1)).toBe(false);
  });

  it('counts each source by itself', async () => {
    await acquirePermit(state, running(), 1);
    expect(await acquirePermit(state, { ...running(), database: 'another' }, 1)).toBe(true);
  });
});
