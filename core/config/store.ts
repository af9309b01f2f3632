import { type DynamoDBDocumentClient, paginateScan, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { FirnError } from '../errors.js';
import type { ConfiguredTable } from './collisions.js';
import type { Change, StoredSource } from './diff.js';
import { type ConfigItem, sourceItem, sourceSortKey, tableItem, unchecked } from './items.js';
import { configKey, type SourceSettings, type TableConfig } from './schema.js';

/** The DynamoDB table TableConfig. */
export interface ConfigStore {
  documents: DynamoDBDocumentClient;
  table: string;
}

/** Everything that was pushed, by `source#database`. Consistent per item; `writeChanges` notices what changed meanwhile. */
export async function readStored({ documents, table }: ConfigStore): Promise<Map<string, StoredSource>> {
  const stored = new Map<string, StoredSource>();
  const items: ConfigItem[] = [];
  for await (const page of paginateScan({ client: documents }, { TableName: table, ConsistentRead: true })) {
    items.push(...((page.Items ?? []) as ConfigItem[]));
  }
  for (const item of items.filter(({ sk }) => sk === sourceSortKey)) {
    const { settings, version } = unchecked(item);
    stored.set(item.pk, { settings: settings as SourceSettings, version, tables: new Map() });
  }
  for (const item of items.filter(({ sk }) => sk !== sourceSortKey)) {
    const { settings, version } = unchecked(item);
    stored.get(item.pk)?.tables.set(item.sk, { config: settings as TableConfig, version });
  }
  return stored;
}

/** DynamoDB takes 100 items in a transaction; one is `#source`. */
const tablesPerTransaction = 99;

/**
 * Writes `changes` on top of `stored`. Each source's changes are one transaction (one per 99 tables), on condition that the
 * source's version is still the one read. New versions are greater than `floor`. Throws ConfigConflict when somebody pushed in between.
 */
export async function writeChanges(
  store: ConfigStore,
  stored: Map<string, StoredSource>,
  wanted: { sources: SourceSettings[]; tables: ConfiguredTable[] },
  changes: Change[],
  floor: (source: string, database: string) => number,
): Promise<void> {
  const configs = new Map(wanted.tables.map(({ source, database, config }) => [`${configKey(source, database)}#${config.table}`, config]));
  for (const id of new Set(changes.map(({ source, database }) => configKey(source, database)))) {
    const settings = wanted.sources.find(({ source, database }) => configKey(source, database) === id) ?? stored.get(id)!.settings;
    const tables = changes.flatMap(({ source, database, table }) => (configKey(source, database) === id && table !== null ? [table] : []));
    let read = stored.get(id)?.version ?? 0;
    for (let from = 0; from === 0 || from < tables.length; from += tablesPerTransaction) {
      const batch = tables
        .slice(from, from + tablesPerTransaction)
        .map((table) => ({ table, config: configs.get(`${id}#${table}`) ?? null }));
      const version = Math.max(read, floor(settings.source, settings.database)) + 1;
      await writeBatch(store, settings, { read, version }, batch);
      read = version;
    }
  }
}

async function writeBatch(
  { documents, table: TableName }: ConfigStore,
  settings: SourceSettings,
  { read, version }: { read: number; version: number },
  tables: { table: string; config: TableConfig | null }[],
): Promise<void> {
  const { source, database } = settings;
  const unchanged =
    read === 0
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ConditionExpression: '#version = :read',
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: { ':read': read },
        };
  const TransactItems = [
    { Put: { TableName, Item: sourceItem(settings, version), ...unchanged } },
    ...tables.map(({ table, config }) =>
      config
        ? { Put: { TableName, Item: tableItem(source, database, config, version) } }
        : { Delete: { TableName, Key: { pk: configKey(source, database), sk: table } } },
    ),
  ];
  try {
    await documents.send(new TransactWriteCommand({ TransactItems }));
  } catch (error) {
    const conflicts = ['TransactionCanceledException', 'TransactionConflictException', 'ConditionalCheckFailedException'];
    if (!(error instanceof Error) || !conflicts.includes(error.name) || !isConflict(error)) throw error;
    const message = `somebody pushed ${source}/${database} after its version ${read} was read for this push`;
    throw new FirnError('ConfigConflict', message, { cause: error });
  }
}

/** A transaction is also cancelled for throttling or a malformed item: those are no conflicts. */
function isConflict(error: Error & { CancellationReasons?: { Code?: string }[] }): boolean {
  const codes = error.CancellationReasons?.map(({ Code }) => Code) ?? ['ConditionalCheckFailed'];
  return codes.some((code) => code === 'ConditionalCheckFailed' || code === 'TransactionConflict');
}
