import { GetCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { sourceFromItem, sourceSortKey, tableFromItem } from '../config/items.js';
import { configKey, type SourceSettings, type TableConfig } from '../config/schema.js';
import type { ConfigStore } from '../config/store.js';
import { FirnError } from '../errors.js';
import type { TableRef } from './table-state.js';

export interface ConfiguredTable {
  source: SourceSettings;
  config: TableConfig;
  configVersion: number;
}

/**
 * The settings of a table and of its source.
 * @throws FirnError TableNotConfigured; ConfigInvalid when what is stored was not written by this version of `config push`
 */
export async function readConfiguredTable(configs: ConfigStore, ref: TableRef): Promise<ConfiguredTable> {
  const pk = configKey(ref.source, ref.database);
  const get = async (sk: string) =>
    (await configs.documents.send(new GetCommand({ TableName: configs.table, Key: { pk, sk }, ConsistentRead: true }))).Item;
  const [sourceStored, tableStored] = await Promise.all([get(sourceSortKey), ref.table === sourceSortKey ? undefined : get(ref.table)]);
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
