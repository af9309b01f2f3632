import { createHash } from 'node:crypto';
import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { applied, expiryAttribute, expiryIn, getItem, type Key, type RuntimeState } from '../state/runtime-state.js';

/** What became of a row: the run that answers it. */
export interface RowOutcome {
  number: number;
  runId: string;
  joined: boolean;
  wait: boolean;
}

/**
 * A batch of rows of one external function call, `batch#<sha256>`. Snowflake may send it again, and asks after it by GET.
 * The candidates are drawn before anything is started, so that a repeated POST starts nothing twice.
 */
export interface Batch {
  key: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  /** A run id for each row, in the order of the rows: used if the row starts a run or is rejected. */
  candidates: string[];
  /** Once all rows were dealt with. */
  outcomes?: RowOutcome[];
}

export const batchKey = (identity: string): string => createHash('sha256').update(identity).digest('hex');

const itemKey = (key: string): Key => ({ pk: `batch#${key}`, sk: 'batch' });

/** The batch as it was first seen, or a new one. */
export async function openBatch(state: RuntimeState, key: string, rows: number): Promise<Batch> {
  const seen = await readBatch(state, key);
  if (seen) return seen;
  const batch: Batch = { key, createdAt: new Date().toISOString(), candidates: Array.from({ length: rows }, () => ulid()) };
  const Item = { ...itemKey(key), ...batch, [expiryAttribute]: expiryIn(7) };
  const created = await applied(
    state.documents.send(new PutCommand({ TableName: state.table, Item, ConditionExpression: 'attribute_not_exists(pk)' })),
  );
  return created ? batch : (await readBatch(state, key))!;
}

export async function readBatch(state: RuntimeState, key: string): Promise<Batch | undefined> {
  return getItem<Batch>(state, itemKey(key));
}

/** Remembers what became of the rows; who comes second gets what the first has remembered. */
export async function settleBatch(state: RuntimeState, batch: Batch, outcomes: RowOutcome[]): Promise<Batch> {
  const settled = await applied(
    state.documents.send(
      new UpdateCommand({
        TableName: state.table,
        Key: { ...itemKey(batch.key) },
        UpdateExpression: 'SET outcomes = :outcomes',
        ConditionExpression: 'attribute_not_exists(outcomes)',
        ExpressionAttributeValues: { ':outcomes': outcomes },
      }),
    ),
  );
  return settled ? { ...batch, outcomes } : (await readBatch(state, batch.key))!;
}
