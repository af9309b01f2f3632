import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { sourceFromItem, sourceSortKey, tableFromItem } from '../config/items.js';
import { configKey, type SourceSettings, type TableConfig } from '../config/schema.js';
import { FirnError } from '../errors.js';
import type { TableRef } from './table-state.js';

/** The DynamoDB table TableConfig, read side. */
export interface TableConfigs {
  documents: DynamoDBDocumentClient;
  table: string;
}

export interface ConfiguredTable {
  source: SourceSettings;
  config: TableConfig;
  configVersion: number;
}

/**
 * The settings of a table and of its source.
 * @throws FirnError TableNotConfigured; ConfigInvalid when what is stored was not written by this version of `config push`
 */
export async function readConfiguredTable(configs: TableConfigs, ref: TableRef): Promise<ConfiguredTable> {
  const pk = configKey(ref.source, ref.database);
  const Keys = [sourceSortKey, ref.table].map((sk) => ({ pk, sk }));
  const { Responses } = await configs.documents.send(
    new BatchGetCommand({ RequestItems: { [configs.table]: { Keys, ConsistentRead: true } } }),
  );
  const items = Responses?.[configs.table] ?? [];
  const sourceStored = items.find(({ sk }) => sk === sourceSortKey);
  const tableStored = items.find(({ sk }) => sk === ref.table);
  if (!sourceStored) throw new FirnError('TableNotConfigured', `Source ${ref.source}, database ${ref.database} is not configured.`);
  if (!tableStored) throw new FirnError('TableNotConfigured', `Table ${ref.table} of ${ref.source}.${ref.database} is not configured.`);
  try {
    const { config, version } = tableFromItem(tableStored);
    return { source: sourceFromItem(sourceStored).settings, config, configVersion: version };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const { path, message } = error.issues[0]!;
    throw new FirnError('ConfigInvalid', `Configuration of ${ref.source}.${ref.database}.${ref.table}, ${path.join('.')}: ${message}`);
  }
}
