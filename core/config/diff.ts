import { isDeepStrictEqual } from 'node:util';
import type { ConfiguredTable } from './collisions.js';
import { configKey, type SourceSettings } from './schema.js';

/** What TableConfig holds of one source. */
export interface StoredSource {
  settings: SourceSettings;
  /** Version of `#source`; rises with each push that changes anything of the source. */
  version: number;
  tables: Map<string, { config: ConfiguredTable['config']; version: number }>;
}

/** What a push changes in one table, or in the settings of one source (`table` null). */
export interface Change {
  change: 'added' | 'changed' | 'removed';
  source: string;
  database: string;
  table: string | null;
  fields: FieldChange[];
}

export interface FieldChange {
  /** e.g. `columns.exclude` */
  key: string;
  /** undefined: not set. */
  before: unknown;
  after: unknown;
}

/** How a push treats stored tables of the same sources that the files do not name. */
export type Absent = 'remove' | 'keep';

/** Changes that make `stored` what the files say, in the files' order; removals last. */
export function diffConfig(
  stored: Map<string, StoredSource>,
  wanted: { sources: SourceSettings[]; tables: ConfiguredTable[] },
  absent: Absent,
): Change[] {
  const changes: Change[] = [];
  for (const settings of wanted.sources) {
    const { source, database } = settings;
    const before = stored.get(configKey(source, database));
    const fields = fieldChanges(before?.settings, settings);
    if (fields.length > 0) changes.push({ change: before ? 'changed' : 'added', source, database, table: null, fields });
  }
  for (const { source, database, config } of wanted.tables) {
    const before = stored.get(configKey(source, database))?.tables.get(config.table)?.config;
    const fields = fieldChanges(before, config);
    if (fields.length > 0) changes.push({ change: before ? 'changed' : 'added', source, database, table: config.table, fields });
  }
  if (absent === 'keep') return changes;
  const named = new Set(wanted.tables.map(({ source, database, config }) => `${configKey(source, database)}#${config.table}`));
  for (const [id, { settings, tables }] of stored) {
    const { source, database } = settings;
    for (const table of tables.keys()) {
      if (!named.has(`${id}#${table}`)) changes.push({ change: 'removed', source, database, table, fields: [] });
    }
  }
  return changes;
}

/** Plain settings only: mappings are compared key by key, lists as a whole. */
function fieldChanges(before: unknown, after: unknown, prefix = ''): FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  const mapping = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!mapping(after) || (before !== undefined && !mapping(before))) return [{ key: prefix, before, after }];
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after as object)]);
  return [...keys].flatMap((key) => {
    const [old, now] = [before, after].map((value) => (value as Record<string, unknown> | undefined)?.[key]);
    return fieldChanges(old, now, prefix === '' ? key : `${prefix}.${key}`);
  });
}
