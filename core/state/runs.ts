import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ErrorRecord } from '../errors.js';
import type { Mode, RunRef } from '../plan/plan.js';
import type { Receipt, RunStatus } from '../receipt/receipt.js';
import { applied, expiryAttribute, expiryIn, getItem, type Key, type RuntimeState } from './runtime-state.js';

/** A run's record, `run#<id>`: what its receipt is made of. Lives 90 days. */
export interface RunRecord {
  run: RunRef;
  mode: Mode | null;
  status: RunStatus;
  /** ISO 8601, UTC. */
  startedAt: string;
  finishedAt: string | null;
  executionArn: string | null;
  /** Receipt fields known so far. */
  receipt: Partial<Receipt>;
  /** Written by Prepare. */
  prepared?: Prepared;
  /** Written by Verify: the run's row of RUN_RESULTS. */
  result: RunResult | null;
  /** Snowflake query ids by what they are for. */
  queryIds: Record<string, string>;
  /** Of the run, once it has FAILED or was REJECTED. */
  error: ErrorRecord | null;
  /** The last error that any step met; the run may have gone on after a retry. */
  lastError: StepError | null;
  /** Batches of external function calls that wait for the run. */
  batches?: Set<string>;
  /** Batch that had the run redriven last. */
  redrivenBy: string | null;
  /** Last time that somebody asked Step Functions about the run. */
  checkedAt: string | null;
  /** Attempts (redrive counts) whose failure was published. */
  published?: Set<number>;
}

/** What PREPARE_TABLE decided about the run's columns. */
export interface Prepared {
  /** Columns that stand under another name than the planned one: planned → name in the files, in raw and in staging. */
  targets: Record<string, string>;
  /** What is otherwise than in the run before, for the receipt. */
  notes: string[];
}

export interface RunResult {
  rows_loaded: number;
  rows_inserted: number;
  rows_updated: number;
  rows_unchanged: number;
  rows_superseded: number;
  rows_deleted: number;
}

export interface StepError {
  step: string;
  at: string;
  error: ErrorRecord;
}

export const runKey = (runId: string): Key => ({ pk: `run#${runId}`, sk: 'run' });

export async function readRun(state: RuntimeState, runId: string): Promise<RunRecord | undefined> {
  return getItem<RunRecord>(state, runKey(runId));
}

/** The record of a run that begins. False when there is one already: then nothing changes. */
export async function createRun(state: RuntimeState, begun: Pick<RunRecord, 'run' | 'mode'> & Partial<RunRecord>): Promise<boolean> {
  const record: RunRecord = {
    status: 'RUNNING',
    startedAt: new Date().toISOString(),
    finishedAt: null,
    executionArn: null,
    receipt: {},
    result: null,
    queryIds: {},
    error: null,
    lastError: null,
    redrivenBy: null,
    checkedAt: null,
    ...begun,
  };
  const Item = { ...runKey(begun.run.runId), ...record, [expiryAttribute]: expiryIn(90) };
  return applied(state.documents.send(new PutCommand({ TableName: state.table, Item, ConditionExpression: 'attribute_not_exists(pk)' })));
}

type Settable = Partial<
  Pick<RunRecord, 'mode' | 'status' | 'finishedAt' | 'prepared' | 'result' | 'error' | 'lastError' | 'receipt' | 'redrivenBy' | 'checkedAt'>
>;

/** Sets fields of an existing record, if `condition` holds. False when it does not, or when there is no record. */
async function setFields(
  state: RuntimeState,
  runId: string,
  fields: Settable,
  condition = 'attribute_exists(pk)',
  values: Record<string, unknown> = {},
  ifRepeated = false,
): Promise<boolean> {
  const names = Object.keys(fields);
  // DynamoDB refuses names that no expression uses.
  const used = new Set(condition.includes('#status') ? [...names, 'status'] : names);
  return applied(
    state.documents.send(
      new UpdateCommand({
        TableName: state.table,
        Key: { ...runKey(runId) },
        UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
        ConditionExpression: condition,
        ExpressionAttributeNames: Object.fromEntries([...used].map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: { ...values, ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`:${name}`, value])) },
      }),
    ),
    ifRepeated,
  );
}

const unfinished = '#status IN (:running, :failed)';
const unfinishedValues = { ':running': 'RUNNING', ':failed': 'FAILED' };

/** What a step met. The status stays: whether the run goes on is for Step Functions to say. */
export async function recordStepError(state: RuntimeState, runId: string, lastError: StepError): Promise<void> {
  await setFields(state, runId, { lastError });
}

/** The mode with which the run got the table: a waiting incremental run may have been lifted to full. */
export async function recordMode(state: RuntimeState, runId: string, mode: Mode): Promise<void> {
  await setFields(state, runId, { mode });
}

/** What Prepare decided, before anything is extracted. */
export async function recordPrepared(state: RuntimeState, runId: string, prepared: Prepared): Promise<void> {
  await setFields(state, runId, { prepared });
}

/** The run's row of RUN_RESULTS. */
export async function recordResult(state: RuntimeState, runId: string, result: RunResult): Promise<void> {
  await setFields(state, runId, { result });
}

/**
 * Ends the run. A run that has SUCCEEDED or was SUPERSEDED stays so: failure events come late, twice and out of order.
 * @returns false when the record was already final, or does not exist
 */
export async function finishRun(
  state: RuntimeState,
  runId: string,
  end: { status: Exclude<RunStatus, 'RUNNING'>; finishedAt: string; error: ErrorRecord | null; receipt?: Partial<Receipt> },
): Promise<boolean> {
  return setFields(state, runId, end, unfinished, unfinishedValues);
}

/** A failed run runs again. False when it is not failed. */
export async function reopenRun(state: RuntimeState, runId: string, redrivenBy: string | null): Promise<boolean> {
  // Step Functions may go on calling it failed for a moment: it is not to be asked at once.
  const reopened: Settable = { status: 'RUNNING', finishedAt: null, error: null, redrivenBy, checkedAt: new Date().toISOString() };
  return setFields(state, runId, reopened, '#status = :failed', { ':failed': 'FAILED' }, true);
}

/** Notes that Step Functions is asked about the run now. False when somebody did since `since`. */
export async function noteCheck(state: RuntimeState, runId: string, since: string): Promise<boolean> {
  return setFields(state, runId, { checkedAt: new Date().toISOString() }, 'attribute_type(checkedAt, :null) OR checkedAt < :since', {
    ':since': since,
    ':null': 'NULL',
  });
}

/**
 * Remembers the Snowflake query that does `purpose` for the run. The first one wins, so that a statement is never waited for under two ids.
 * @returns the id remembered
 */
export async function rememberQuery(state: RuntimeState, runId: string, purpose: string, queryId: string): Promise<string> {
  const { Attributes } = await state.documents.send(
    new UpdateCommand({
      TableName: state.table,
      Key: { ...runKey(runId) },
      UpdateExpression: 'SET queryIds.#purpose = if_not_exists(queryIds.#purpose, :queryId)',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#purpose': purpose },
      ExpressionAttributeValues: { ':queryId': queryId },
      ReturnValues: 'ALL_NEW',
    }),
  );
  return (Attributes as RunRecord).queryIds[purpose]!;
}

/** Forgets a query that failed, so that a redrive submits a new one. */
export async function forgetQuery(state: RuntimeState, runId: string, purpose: string, queryId: string): Promise<void> {
  await applied(
    state.documents.send(
      new UpdateCommand({
        TableName: state.table,
        Key: { ...runKey(runId) },
        UpdateExpression: 'REMOVE queryIds.#purpose',
        ConditionExpression: 'queryIds.#purpose = :queryId',
        ExpressionAttributeNames: { '#purpose': purpose },
        ExpressionAttributeValues: { ':queryId': queryId },
      }),
    ),
  );
}

/** Notes that a batch waits for the run. */
export async function joinBatch(state: RuntimeState, runId: string, batch: string): Promise<void> {
  await state.documents.send(
    new UpdateCommand({
      TableName: state.table,
      Key: { ...runKey(runId) },
      UpdateExpression: 'ADD batches :batch',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':batch': new Set([batch]) },
    }),
  );
}
