import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../../core/log.js';
import { joinOrStart } from '../../../core/state/claim.js';
import { ensureGoldRuns, markDirty } from '../../../core/state/gold.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { awaitGold, buildGold, drainGold, finishGold } from '../../../core/workflow/gold.js';
import { type LocalSnowflake, startLocalSnowflake } from '../sql/local-snowflake.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';

let aws: LocalAws;
let snowflake: LocalSnowflake;
let state: RuntimeState;
let executions: ExecutionsDouble;

beforeAll(async () => {
  aws = await startLocalAws();
  snowflake = await startLocalSnowflake();
});
afterAll(() => Promise.all([aws?.stop(), snowflake?.stop()]));
beforeEach(async () => {
  executions = new ExecutionsDouble();
  const table = `state-${ulid()}`;
  state = { documents: await createStateTable(table), table, executions };
});

const orders = { source: 'PostgreSQL', database: 'clr', table: 'orders' };
const execution = (at = Date.now()) => `arn:aws:states:us-east-1:000000000000:execution:gold:${ulid(at)}`;

describe('gold (DynamoDB and Snowflake local, executions in memory)', () => {
  it('builds what has changed, then is done', async () => {
    await markDirty(state, orders);
    const { build, counter } = await drainGold(state, execution());
    expect(build).toBe(true);
    const { queryId } = await buildGold(snowflake.warehouse);
    while (!(await awaitGold(snowflake.warehouse, queryId, createLog({}))).done);
    expect(await finishGold(state, counter)).toEqual({ done: true });
    expect(await drainGold(state, execution())).toEqual({ build: false, notify: false, forDbt: [], counter });
  });

  it('goes on when a table changed while it built', async () => {
    await markDirty(state, orders);
    const { counter } = await drainGold(state, execution());
    await markDirty(state, { ...orders, table: 'customers' });
    expect(await finishGold(state, counter)).toEqual({ done: false });
    const again = await drainGold(state, execution());
    expect(again.build).toBe(true);
    expect(await finishGold(state, again.counter)).toEqual({ done: true });
  });

  it('has nothing to build twice, and still ends', async () => {
    const gold = new ExecutionsDouble();
    await markDirty(state, orders);
    await ensureGoldRuns(state, gold);
    const { counter } = await drainGold(state, execution());
    await finishGold(state, counter);
    const empty = await drainGold(state, execution());
    expect(empty.build).toBe(false);
    expect(await finishGold(state, empty.counter)).toEqual({ done: true });
  });

  it('tells dbt of the tables that are configured so, once all runs are done', async () => {
    const customers = { ...orders, table: 'customers' };
    await markDirty(state, orders);
    await markDirty(state, customers, true);
    const other = { ...orders, table: 'payments', runId: ulid() };
    await joinOrStart(state, other, 'full');
    expect(await drainGold(state, execution())).toMatchObject({ build: false, notify: false });
    executions.set(other.runId, 'succeeded');
    const drained = await drainGold(state, execution());
    expect(drained).toMatchObject({ build: true, notify: true, forDbt: [customers] });
    await finishGold(state, drained.counter);
    expect(await drainGold(state, execution())).toMatchObject({ build: false, notify: false, forDbt: [] });
  });

  it('waits for other runs of the source, but not for ever', async () => {
    await markDirty(state, orders);
    const other = { ...orders, table: 'customers', runId: ulid() };
    await joinOrStart(state, other, 'full');
    const waiting = await drainGold(state, execution());
    expect(waiting.build).toBe(false);
    expect(await finishGold(state, waiting.counter)).toEqual({ done: false });
    expect((await drainGold(state, execution(Date.now() - 11 * 60_000))).build).toBe(true);
    executions.set(other.runId, 'succeeded');
    expect((await drainGold(state, execution())).build).toBe(true);
  });
});
