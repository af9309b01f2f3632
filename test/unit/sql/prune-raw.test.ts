import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../../core/plan/plan.js';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import { type LocalSnowflake, startLocalSnowflake } from './local-snowflake.js';
import { call, ingest, load, planOf, prepare, staged } from './table.js';

let snowflake: LocalSnowflake;
let warehouse: Warehouse;

beforeAll(async () => {
  snowflake = await startLocalSnowflake();
  warehouse = snowflake.warehouse;
});
afterAll(() => snowflake?.stop());

/** A plan that reads what has changed since another run. */
const since = (table: string, fence: number) =>
  planOf(table, fence, {
    mode: 'incremental',
    cursor: { column: 'updated_at', kind: 'time', from: '2025-11-01' } as unknown as Plan['cursor'],
    deletes: { detect: false },
  });

/** Makes all rows of a run look as if they had been loaded so many days ago. */
const age = (plan: Plan, days: number) =>
  warehouse.query(
    `UPDATE RAW_CLR."${plan.target.rawTable}" SET "_FIRN_LOADED_AT" = DATEADD('day', -${days}, CURRENT_TIMESTAMP()) WHERE "_FIRN_RUN" = ?`,
    [plan.run.runId],
  );

const runsInRaw = async (plan: Plan) =>
  (await warehouse.query(`SELECT DISTINCT "_FIRN_RUN" AS RUN FROM RAW_CLR."${plan.target.rawTable}" ORDER BY 1`)).map(({ RUN }) => RUN);

const prune = () => call(warehouse, 'CALL FIRN.PRUNE_RAW()');

describe('PRUNE_RAW', () => {
  it('drops what is older than the retention and than the latest run that read everything', async () => {
    const [old, full, change] = [planOf('kept', 1), planOf('kept', 2), since('kept', 3)];
    await ingest(warehouse, old, 1, [[1, 'old']]);
    await ingest(warehouse, full, 2, [
      [1, 'new'],
      [2, 'b'],
    ]);
    await ingest(warehouse, change, 3, [[2, 'B']]);
    for (const plan of [old, full, change]) await age(plan, 40);

    expect(await prune()).toMatchObject({ days: 30, failed: [], tables: [{ table: '"RAW_CLR"."KEPT"', rows: 1 }] });
    expect(await runsInRaw(full)).toEqual([full.run.runId, change.run.runId]);
    expect(await prune()).toMatchObject({ tables: [{ rows: 0 }] });
  });

  it('and the table can still be merged again from what is left', async () => {
    const plan = planOf('kept', 9);
    await warehouse.query('DELETE FROM STAGING_CLR.KEPT');
    await call(warehouse, "CALL FIRN.PROCESS_TABLE('PostgreSQL', 'clr', 'kept')");
    expect(await staged(warehouse, plan)).toEqual([
      [1, 'new'],
      [2, 'B'],
    ]);
    expect(await warehouse.query('SELECT ID FROM RAW_CLR.KEPT_COMMITTED ORDER BY ID')).toEqual([{ ID: 1 }, { ID: 2 }, { ID: 2 }]);
  });

  it('keeps younger rows, those of an incremental table that was never read again, and those that are not merged yet', async () => {
    const [first, second] = [planOf('young', 1), planOf('young', 2)];
    await ingest(warehouse, first, 1, [[1, 'a']]);
    await ingest(warehouse, second, 2, [[1, 'b']]);
    await age(first, 29);
    const [start, change] = [planOf('changes', 1), since('changes', 2)];
    await ingest(warehouse, start, 1, [[1, 'a']]);
    await ingest(warehouse, change, 2, [[1, 'b']]);
    for (const plan of [start, change]) await age(plan, 400);
    const unmerged = planOf('changes', 3);
    await prepare(warehouse, unmerged, 3);
    await load(warehouse, unmerged, [[1, 'c']]);
    await age(unmerged, 400);
    await prune();
    expect(await runsInRaw(first)).toEqual([first.run.runId, second.run.runId]);
    expect(await runsInRaw(start)).toEqual([start.run.runId, change.run.runId, unmerged.run.runId]);
  });

  it('keeps what a table reads that has the place of another one, which had more runs', async () => {
    const former = planOf('former', 9);
    await ingest(warehouse, former, 9, [[1, 'a']]);
    await warehouse.query('DROP TABLE STAGING_CLR.FORMER');
    const plan = planOf('present', 1, { target: former.target });
    await ingest(warehouse, plan, 1, [[1, 'b']]);
    for (const one of [former, plan]) await age(one, 400);
    await prune();
    expect(await runsInRaw(former)).toEqual([former.run.runId, plan.run.runId]);
  });

  it('goes on when a table is gone, and says so', async () => {
    const [gone, fine] = [planOf('a_gone', 1), planOf('z_fine', 1)];
    await ingest(warehouse, gone, 1, [[1, 'a']]);
    await ingest(warehouse, fine, 1, [[1, 'a']]);
    await warehouse.query('DROP TABLE RAW_CLR.A_GONE');
    expect(await prune()).toMatchObject({
      failed: [{ table: '"RAW_CLR"."A_GONE"', message: expect.stringMatching(/does not exist/) }],
      tables: expect.arrayContaining([{ table: '"RAW_CLR"."Z_FINE"', rows: 0 }]),
    });
  });

  it('does nothing where no retention is set', async () => {
    await warehouse.query('CREATE OR REPLACE VIEW FIRN.RETENTION AS SELECT CAST(NULL AS NUMBER(38, 0)) AS raw_retention_days');
    expect(await prune()).toEqual({ days: null, tables: [], failed: [] });
  });
});

describe('the tasks', () => {
  it('are suspended until somebody resumes them', async () => {
    const tasks = await warehouse.query('SHOW TASKS IN SCHEMA FIRN');
    expect(tasks.map(({ name, state }) => [name, state])).toEqual([
      ['EXPORT_ALL', 'suspended'],
      ['INGEST_ALL', 'suspended'],
      ['PRUNE_RAW', 'suspended'],
    ]);
    await warehouse.query('ALTER TASK FIRN.PRUNE_RAW RESUME');
    expect(await warehouse.query("SHOW TASKS LIKE 'PRUNE_RAW' IN SCHEMA FIRN")).toMatchObject([{ state: 'started' }]);
  });

  it('do by hand what they do by schedule', async () => {
    await warehouse.query('CREATE OR REPLACE VIEW FIRN.RETENTION AS SELECT CAST(30 AS NUMBER(38, 0)) AS raw_retention_days');
    const [old, full] = [planOf('by_task', 1), planOf('by_task', 2)];
    await ingest(warehouse, old, 1, [[1, 'a']]);
    await ingest(warehouse, full, 2, [[1, 'b']]);
    await age(old, 31);
    await warehouse.query('EXECUTE TASK FIRN.PRUNE_RAW');
    expect(await runsInRaw(full)).toEqual([full.run.runId]);
  });
});
