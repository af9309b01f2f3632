import { configKey, type SourceSettings, sourceConfigSchema, type TableConfig, tableConfigSchema } from './schema.js';

/**
 * Items of the DynamoDB table TableConfig: settings flat beside `pk`, `sk` and `version`.
 * `version` of `#source` rises with every push that changes anything of the source; a table's is that of the push that changed it last.
 */
export const sourceSortKey = '#source';

const settingsSchema = sourceConfigSchema.omit({ tables: true });

interface Key {
  pk: string;
  sk: string;
}
export type ConfigItem = Key & { version: number } & Record<string, unknown>;

export function sourceItem(settings: SourceSettings, version: number): ConfigItem {
  return { pk: configKey(settings.source, settings.database), sk: sourceSortKey, version, ...settings };
}

export function tableItem(source: string, database: string, config: TableConfig, version: number): ConfigItem {
  return { pk: configKey(source, database), sk: config.table, version, ...config };
}

/** An item's settings as they were pushed, perhaps by an older version of this code. */
export function unchecked(item: Record<string, unknown>): { settings: unknown; version: number } {
  const { pk: _pk, sk: _sk, version, ...settings } = item;
  return { settings, version: Number(version) };
}

/** Throws ZodError when the item was not written by `config push` of this version. */
export function sourceFromItem(item: Record<string, unknown>): { settings: SourceSettings; version: number } {
  const { settings, version } = unchecked(item);
  return { settings: settingsSchema.parse(settings), version };
}

/** Throws ZodError when the item was not written by `config push` of this version. */
export function tableFromItem(item: Record<string, unknown>): { config: TableConfig; version: number } {
  const { settings, version } = unchecked(item);
  return { config: tableConfigSchema.parse(settings), version };
}
