import { ListExecutionsCommand, SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Manifest, manifestSchema } from '../../../core/plan/manifest.js';
import { type Plan, planSchema, type RunRef } from '../../../core/plan/plan.js';
import { manifestKey, planKey } from '../../../core/raw-bucket/layout.js';
import { writeJsonOnce } from '../../../core/raw-bucket/objects.js';
import { acquire, joinOrStart, markSnapshotTaken } from '../../../core/state/claim.js';
import { readDirty } from '../../../core/state/gold.js';
import { acquirePermit } from '../../../core/state/permits.js';
import { type RunResult, readRun, recordPrepared, recordResult } from '../../../core/state/runs.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { readTableState } from '../../../core/state/table-state.js';
import { commitRun } from '../../../core/workflow/commit-run.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';
import { createBucket, createStateMachine } from './local-functions.js';

let aws: LocalAws;
let commit: typeof import('../../../lambdas/commit/handler.js');
let clients: typeof import('../../../lambdas/clients.js');
let state: RuntimeState;
let table: string;
let database: string;

const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 60_000 };
const changed: RunResult = { rows_loaded: 5, rows_inserted: 2, rows_updated: 1, rows_unchanged: 1, rows_superseded: 1, rows_deleted: 4 };
const unchanged: RunResult = { rows_loaded: 5, rows_inserted: 0, rows_updated: 0, rows_unchanged: 5, rows_superseded: 0, rows_deleted: 0 };
const watermarkAfter = {
  cursorColumn: 'at',
  kind: 'time' as const,
  fence: 'f',
  prepared: [],
  upper: null,
  readAt: 'r',
  safe: 's',
  lowerBound: '2026-01-01T00:00:00.000000Z',
};

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  aws = await startLocalAws();
  await createStateTable('state');
  await createBucket('raw');
  const forever = { Type: 'Wait', Seconds: 86_400, End: true };
  Object.assign(process.env, {
    RUNTIME_STATE: 'state',
    RAW_BUCKET: 'raw',
    INGEST_STATE_MACHINE_ARN: await createStateMachine('ingest', forever),
    GOLD_STATE_MACHINE_ARN: await createStateMachine('gold', forever),
  });
  commit = await import('../../../lambdas/commit/handler.js');
  clients = await import('../../../lambdas/clients.js');
  state = clients.runtimeState();
});
afterAll(() => aws.stop());
beforeEach(() => {
  table = 'orders';
  database = `clr_${ulid()}`;
});

/** A run that has come to its commit. */
async function readyToCommit(result: RunResult): Promise<RunRef> {
  const run: RunRef = { runId: ulid(), source: 'PostgreSQL', database, table };
  await joinOrStart(state, run, 'incremental');
  await acquire(state, run);
  await acquirePermit(state, run, 1);
  const { version } = await markSnapshotTaken(state, run);
  const plan: Plan = {
    run,
    sourceType: 'postgres',
    relation: { schema: 'public', table },
    mode: 'incremental',
    loader: 'pipe',
    columns: [
      {
        name: 'id',
        target: 'ID',
        sourceType: 'int4',
        nullable: false,
        parquet: { kind: 'int32' },
        raw: 'NUMBER(38,0)',
        staging: 'NUMBER(38,0)',
        convert: 'none',
      },
    ],
    primaryKey: ['ID'],
    rowFilter: null,
    cursor: { column: 'at', from: null, onNull: 'error' },
    chunks: [{ number: 0, column: null, from: null, to: null }],
    prefix: 'p/',
    order: 'order',
    baseVersion: version,
    configVersion: 1,
    watermarkBefore: null,
    watermarkAfter,
    deletes: { detect: false, how: 'hard', maxFraction: 0.5 },
    target: { rawSchema: 'R', rawTable: 'T', stagingSchema: 'S', stagingTable: 'T', warehouse: null },
    warnings: ['a warning'],
    plannedAt: '2026-01-01T00:00:00.000Z',
  };
  const manifest: Manifest = {
    runId: run.runId,
    files: [{ key: 'k', rows: 5, bytes: 100 }],
    rows: 5,
    bytes: 100,
    readAsOf: 'then',
    policyCounts: { 'amount: numeric_nan': 2 },
  };
  await writeJsonOnce(clients.rawBucket(), planKey(run.runId), planSchema, plan);
  await writeJsonOnce(clients.rawBucket(), manifestKey(run.runId), manifestSchema, manifest);
  await recordPrepared(state, run.runId, { targets: {}, notes: ['a note'] });
  await recordResult(state, run.runId, result);
  return run;
}

const goldExecutions = async () =>
  (await new SFNClient({}).send(new ListExecutionsCommand({ stateMachineArn: process.env.GOLD_STATE_MACHINE_ARN! }))).executions!;

describe('commit (DynamoDB, S3 and Step Functions local)', () => {
  it('commits the watermark, writes the receipt, gives back the permit and has gold rebuilt; twice is once', async () => {
    const run = await readyToCommit(changed);
    for (let i = 0; i < 2; i++) await commit.handler({ action: 'commit', run }, context);
    expect(await readTableState(state, run)).toMatchObject({
      version: 1,
      watermark: watermarkAfter,
      lastRun: { runId: run.runId, order: 'order' },
    });
    expect(await readRun(state, run.runId)).toMatchObject({
      status: 'SUCCEEDED',
      error: null,
      receipt: {
        read_as_of: 'then',
        rows_read: 5,
        rows_merged: 5,
        rows_deleted: 4,
        files: 1,
        bytes: 100,
        watermark_before: null,
        held_back_by: null,
        watermark_after: watermarkAfter.lowerBound,
        warnings: ['a warning', 'a note', "amount: numeric_nan replaced 2 values; see the run's log."],
      },
    });
    expect((await readDirty(state)).tables).toContainEqual({ source: 'PostgreSQL', database, table });
    expect(await acquirePermit(state, { ...run, runId: ulid() }, 1)).toBe(true);
    expect(await goldExecutions()).toMatchObject([{ status: 'RUNNING' }]);
  });

  it('leaves gold alone when no row has changed', async () => {
    const run = await readyToCommit(unchanged);
    await commit.handler({ action: 'commit', run }, context);
    expect((await readDirty(state)).tables).not.toContainEqual({ source: 'PostgreSQL', database, table });
    expect(await readRun(state, run.runId)).toMatchObject({ status: 'SUCCEEDED', receipt: { rows_unchanged: 5 } });
  });

  it.each(Array.from({ length: 12 }, (_, i) => i + 1))('ends the same when it died at its access %i to DynamoDB', async (deathAt) => {
    const run = await readyToCommit(changed);
    let accesses = 0;
    const send = (command: never) => {
      accesses += 1;
      return accesses >= deathAt ? Promise.reject(new Error('killed')) : state.documents.send(command);
    };
    const dying = { ...state, documents: { send } as unknown as RuntimeState['documents'] };
    const { stepFunctions } = await import('../../../core/state/executions.js');
    const gold = stepFunctions(clients.sfn, process.env.GOLD_STATE_MACHINE_ARN!);
    await commitRun(dying, clients.rawBucket(), gold, run).catch(() => {});
    await commit.handler({ action: 'commit', run }, context);
    const { version, current, checkpoints } = await readTableState(state, run);
    expect({ version, current, checkpoints }).toEqual({ version: 1, current: undefined, checkpoints: [watermarkAfter] });
    expect(await readRun(state, run.runId)).toMatchObject({ status: 'SUCCEEDED' });
    expect((await readDirty(state)).tables).toContainEqual({ source: 'PostgreSQL', database, table });
  });

  it('is superseded when a younger run has committed, and then changes nothing', async () => {
    const old = await readyToCommit(changed);
    await new SFNClient({}).send(new StopExecutionCommand({ executionArn: state.executions.arn(old.runId) }));
    const young = await readyToCommit(changed);
    await commit.handler({ action: 'commit', run: young }, context);
    await expect(commit.handler({ action: 'commit', run: old }, context)).rejects.toMatchObject({ name: 'Superseded' });
    await commit.handler({ action: 'supersede', run: old }, context);
    expect(await readTableState(state, old)).toMatchObject({ version: 1, lastRun: { runId: young.runId } });
    expect(await readRun(state, old.runId)).toMatchObject({ status: 'SUPERSEDED', error: { code: 'Superseded' } });
  });

  it('supersede releases its own claim, and leaves a committed run as it is', async () => {
    const run = await readyToCommit(changed);
    await commit.handler({ action: 'supersede', run }, context);
    expect((await readTableState(state, run)).current).toBeUndefined();
    const other = await readyToCommit(changed);
    await commit.handler({ action: 'commit', run: other }, context);
    await commit.handler({ action: 'supersede', run: other }, context);
    expect(await readRun(state, other.runId)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('does not commit a run whose rows were never counted', async () => {
    const run: RunRef = { runId: ulid(), source: 'PostgreSQL', database, table };
    await joinOrStart(state, run, 'full');
    await expect(commit.handler({ action: 'commit', run }, context)).rejects.toMatchObject({ name: 'Internal' });
    expect(await readTableState(state, run)).toMatchObject({ version: 0 });
  });
});
