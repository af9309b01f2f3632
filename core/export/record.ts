import { BatchWriteCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ErrorRecord } from '../errors.js';
import { applied, expiryAttribute, expiryIn, getItem, type Key, type RuntimeState } from '../state/runtime-state.js';
import type { ExportConfig } from './schema.js';

/** One call of an export set, `export#<id>` / `export`. Lives 90 days. */
export interface ExportRecord {
  exportId: string;
  /** Name of the set; as it was asked for when the call was refused. */
  name: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'REJECTED';
  /** ISO 8601, UTC. */
  startedAt: string;
  finishedAt: string | null;
  executionArn: string | null;
  /** Why nothing was started, or why the execution ended besides its exports. */
  error: ErrorRecord | null;
}

/** One export of it, `export#<id>` / `#0007`. */
export interface ExportItem {
  index: number;
  config: ExportConfig;
  status: 'PENDING' | 'SUCCEEDED' | 'FAILED';
  /** Redrive count of the execution in which it began or failed. */
  attempt: number;
  startedAt: string | null;
  finishedAt: string | null;
  /** The statement that unloads, once it is submitted. */
  unload: Unload | null;
  /** What it wrote, once it has succeeded. */
  rows: number | null;
  bytes: number | null;
  files: number | null;
  /** What stands at s3_path was read later than this export's data. */
  superseded: boolean;
  error: ErrorRecord | null;
}

export interface Unload {
  queryId: string;
  /** Key in the exports bucket that only this statement writes to; with a closing slash when it is a folder. */
  aside: string;
  submittedAt: string;
  /** Columns of the result, for a file without rows. */
  columns: { name: string; type: string; precision: number | null; scale: number | null }[];
}

const pkOf = (exportId: string): string => `export#${exportId}`;
const headKey = (exportId: string): Key => ({ pk: pkOf(exportId), sk: 'export' });
const itemKey = (exportId: string, index: number): Key => ({ pk: pkOf(exportId), sk: `#${String(index).padStart(4, '0')}` });

export const newItem = (index: number, config: ExportConfig): ExportItem => ({
  index,
  config,
  status: 'PENDING',
  attempt: 0,
  startedAt: null,
  finishedAt: null,
  unload: null,
  rows: null,
  bytes: null,
  files: null,
  superseded: false,
  error: null,
});

export async function readExport(state: RuntimeState, exportId: string): Promise<ExportRecord | undefined> {
  return getItem<ExportRecord>(state, headKey(exportId));
}

export async function readItem(state: RuntimeState, exportId: string, index: number): Promise<ExportItem | undefined> {
  return getItem<ExportItem>(state, itemKey(exportId, index));
}

/** All exports of a call, in their order. */
export async function readItems(state: RuntimeState, exportId: string): Promise<ExportItem[]> {
  const items: ExportItem[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await state.documents.send(
      new QueryCommand({
        TableName: state.table,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :item)',
        ExpressionAttributeValues: { ':pk': pkOf(exportId), ':item': '#' },
        ExclusiveStartKey: from,
      }),
    );
    items.push(...((page.Items ?? []) as ExportItem[]));
    from = page.LastEvaluatedKey;
  } while (from);
  return items;
}

/** DynamoDB takes so many items at once. */
const itemsPerWrite = 25;

/** Writes the items first: whoever finds the record finds all of it. Written again it is the same. */
export async function createExport(state: RuntimeState, record: ExportRecord, configs: ExportConfig[]): Promise<void> {
  const expiry = { [expiryAttribute]: expiryIn(90) };
  const puts = configs.map((config, index) => ({
    PutRequest: { Item: { ...itemKey(record.exportId, index), ...newItem(index, config), ...expiry } },
  }));
  for (let from = 0; from < puts.length; from += itemsPerWrite) {
    let left: Record<string, object[]> | undefined = { [state.table]: puts.slice(from, from + itemsPerWrite) };
    while (left && Object.keys(left).length > 0) {
      left = (await state.documents.send(new BatchWriteCommand({ RequestItems: left as never }))).UnprocessedItems;
    }
  }
  await applied(
    state.documents.send(
      new PutCommand({
        TableName: state.table,
        Item: { ...headKey(record.exportId), ...record, ...expiry },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    ),
  );
}

/** Sets fields of a key, on condition. False when it does not hold. */
async function set(state: RuntimeState, key: Key, fields: object, condition = 'attribute_exists(pk)', values = {}): Promise<boolean> {
  const names = Object.keys(fields);
  const used = new Set([...names, ...[...condition.matchAll(/#(\w+)/g)].map(([, name]) => name!)]);
  return applied(
    state.documents.send(
      new UpdateCommand({
        TableName: state.table,
        Key: { ...key },
        UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
        ConditionExpression: condition,
        ExpressionAttributeNames: Object.fromEntries([...used].map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: { ...values, ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`:${name}`, value])) },
      }),
    ),
  );
}

export async function setItem(state: RuntimeState, exportId: string, index: number, fields: Partial<ExportItem>): Promise<void> {
  await set(state, itemKey(exportId, index), fields);
}

/** Remembers the statement that unloads; the first one wins. @returns the one remembered */
export async function rememberUnload(state: RuntimeState, exportId: string, index: number, unload: Unload): Promise<Unload> {
  const first = await set(state, itemKey(exportId, index), { unload }, 'attribute_type(#unload, :none)', { ':none': 'NULL' });
  return first ? unload : (await readItem(state, exportId, index))!.unload!;
}

/** Ends the call; one that a redrive has ended well stays so. */
export async function finishExport(
  state: RuntimeState,
  exportId: string,
  end: Pick<ExportRecord, 'status' | 'finishedAt' | 'error'>,
): Promise<void> {
  await set(state, headKey(exportId), end, '#status <> :done', { ':done': 'SUCCEEDED' });
}

/** A redrive has begun. */
export async function reopenExport(state: RuntimeState, exportId: string): Promise<void> {
  const running: Pick<ExportRecord, 'status' | 'finishedAt' | 'error'> = { status: 'RUNNING', finishedAt: null, error: null };
  await set(state, headKey(exportId), running, '#status = :failed', { ':failed': 'FAILED' });
}
