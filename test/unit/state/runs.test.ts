import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { errorRecord } from '../../../core/errors.js';
import { createRun, finishRun, forgetQuery, readRun, recordStepError, rememberQuery, reopenRun } from '../../../core/state/runs.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { ExecutionsDouble } from './executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from './local-aws.js';

let aws: LocalAws;
let documents: DynamoDBDocumentClient;
let state: RuntimeState;
let runId: string;

beforeAll(async () => {
  aws = await startLocalAws();
  documents = await createStateTable('state');
});
afterAll(() => aws.stop());
beforeEach(async () => {
  state = { documents, table: 'state', executions: new ExecutionsDouble() };
  runId = ulid();
  await createRun(state, { run: { runId, source: 'PostgreSQL', database: 'clr', table: 'orders' }, mode: 'full' });
});

const at = '2026-01-01T00:00:00.000Z';
const error = errorRecord('SourceUnreachable', 'no route');
const failed = { status: 'FAILED', finishedAt: at, error } as const;
const succeeded = { status: 'SUCCEEDED', finishedAt: at, error: null } as const;
const superseded = { status: 'SUPERSEDED', finishedAt: at, error: null } as const;

describe('the record of a run (DynamoDB local)', () => {
  it.each([
    { name: 'a late failure does not undo a success', ends: [succeeded, failed], status: 'SUCCEEDED' },
    { name: 'nor what was superseded', ends: [superseded, failed], status: 'SUPERSEDED' },
    { name: 'a redriven run that was marked as failed may succeed', ends: [failed, succeeded], status: 'SUCCEEDED' },
    { name: 'or be superseded', ends: [failed, superseded], status: 'SUPERSEDED' },
  ])('$name', async ({ ends, status }) => {
    for (const end of ends) await finishRun(state, runId, end);
    expect(await readRun(state, runId)).toMatchObject({ status });
  });

  it('is created once', async () => {
    expect(await createRun(state, { run: { runId, source: 'x', database: 'y', table: 'z' }, mode: null })).toBe(false);
    expect(await readRun(state, runId)).toMatchObject({ run: { table: 'orders' }, mode: 'full' });
  });

  it('expires', async () => {
    const days = ((await readRun(state, runId)) as unknown as { expiresAt: number }).expiresAt - Date.now() / 1000;
    expect(Math.round(days / 86_400)).toBe(90);
  });

  it('is reopened only when it has failed', async () => {
    expect(await reopenRun(state, runId, null)).toBe(false);
    await finishRun(state, runId, failed);
    expect(await reopenRun(state, runId, null)).toBe(true);
    expect(await readRun(state, runId)).toMatchObject({ status: 'RUNNING', error: null, finishedAt: null });
  });

  it('keeps the last error of a step without calling the run failed', async () => {
    await recordStepError(state, runId, { step: 'extract', at, error });
    expect(await readRun(state, runId)).toMatchObject({ status: 'RUNNING', lastError: { step: 'extract', error } });
  });

  it('is not made by what belongs to a record', async () => {
    const unknown = ulid();
    await recordStepError(state, unknown, { step: 'extract', at, error });
    expect(await finishRun(state, unknown, failed)).toBe(false);
    expect(await readRun(state, unknown)).toBeUndefined();
  });

  it('remembers the first query for a purpose until that is forgotten', async () => {
    expect(await rememberQuery(state, runId, 'process', 'q1')).toBe('q1');
    expect(await rememberQuery(state, runId, 'process', 'q2')).toBe('q1');
    await forgetQuery(state, runId, 'process', 'q2');
    expect((await readRun(state, runId))?.queryIds).toEqual({ process: 'q1' });
    await forgetQuery(state, runId, 'process', 'q1');
    expect(await rememberQuery(state, runId, 'process', 'q3')).toBe('q3');
  });
});
