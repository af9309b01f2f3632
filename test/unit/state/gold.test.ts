import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { acquire, joinOrStart } from '../../../core/state/claim.js';
import { ensureGoldRuns, markDirty, otherRunsActive, readDirty, releaseGold } from '../../../core/state/gold.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { ExecutionsDouble } from './executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from './local-aws.js';

let aws: LocalAws;
let documents: DynamoDBDocumentClient;
let ingest: ExecutionsDouble;
let gold: ExecutionsDouble;
let state: RuntimeState;

const orders = { source: 'PostgreSQL', database: 'clr', table: 'orders' };
const items = { source: 'PostgreSQL', database: 'clr', table: 'sales.items' };

beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
beforeEach(async () => {
  const table = `state-${ulid()}`;
  documents = await createStateTable(table);
  ingest = new ExecutionsDouble();
  gold = new ExecutionsDouble();
  state = { documents, table, executions: ingest };
});

describe('gold catches up (executions in memory, DynamoDB local)', () => {
  it('one execution drains what many commits have changed', async () => {
    await Promise.all(
      [orders, items, orders].map(async (table) => {
        await markDirty(state, table);
        await ensureGoldRuns(state, gold);
      }),
    );
    expect(gold.started).toHaveLength(1);
    const { counter, tables } = await readDirty(state);
    expect(tables.toSorted((a, b) => a.table.localeCompare(b.table))).toEqual([orders, items]);
    expect(await releaseGold(state, counter)).toBe(true);
    expect(await readDirty(state)).toEqual({ counter, tables: [], forDbt: [] });
  });

  it('goes on when a table has changed since it looked', async () => {
    await markDirty(state, orders);
    await ensureGoldRuns(state, gold);
    const { counter } = await readDirty(state);
    await markDirty(state, items);
    await ensureGoldRuns(state, gold);
    expect(gold.started).toHaveLength(1);
    expect(await releaseGold(state, counter)).toBe(false);
    expect(await releaseGold(state, (await readDirty(state)).counter)).toBe(true);
  });

  it('starts a new one after a release', async () => {
    await markDirty(state, orders);
    await ensureGoldRuns(state, gold);
    await releaseGold(state, (await readDirty(state)).counter);
    await markDirty(state, items);
    await ensureGoldRuns(state, gold);
    expect(gold.started).toHaveLength(2);
  });

  it('replaces one that has died, and keeps what it left', async () => {
    await markDirty(state, orders);
    await ensureGoldRuns(state, gold);
    gold.set(gold.started[0]!.name, 'failed');
    await markDirty(state, items);
    await ensureGoldRuns(state, gold);
    expect(gold.started).toHaveLength(2);
    expect((await readDirty(state)).tables).toHaveLength(2);
  });

  it('starts the one that was claimed for when its commit died', async () => {
    await markDirty(state, orders);
    const { start } = gold;
    gold.start = async () => {
      throw new Error('killed');
    };
    await expect(ensureGoldRuns(state, gold)).rejects.toThrow('killed');
    gold.start = start;
    await ensureGoldRuns(state, gold);
    await ensureGoldRuns(state, gold);
    expect(gold.started).toHaveLength(1);
  });

  it('sees runs under way at the same sources', async () => {
    expect(await otherRunsActive(state, [orders])).toBe(false);
    const run = { ...orders, runId: ulid() };
    await joinOrStart(state, run, 'full');
    await acquire(state, run);
    expect(await otherRunsActive(state, [items])).toBe(true);
    expect(await otherRunsActive(state, [{ ...orders, database: 'another' }])).toBe(false);
    ingest.set(run.runId, 'failed');
    expect(await otherRunsActive(state, [items])).toBe(false);
  });
});
