import { FirnError } from '../errors.js';
import { type ConfiguredTable, collisions, tableName } from './collisions.js';
import { type Absent, type Change, diffConfig, type StoredSource } from './diff.js';
import type { LoadedConfig } from './load.js';
import { type ConfigStore, readStored, writeChanges } from './store.js';
import { type Query, readRecorded, recordConfigs } from './table-configs.js';

/** What a push would do, on top of what was read. */
export interface Push {
  stored: Map<string, StoredSource>;
  wanted: LoadedConfig;
  changes: Change[];
}

/** Reads TableConfig and compares. Throws ConfigInvalid when a table's name in Snowflake would meet that of a table pushed before. */
export async function preparePush(store: ConfigStore, wanted: LoadedConfig, absent: Absent): Promise<Push> {
  const stored = await readStored(store);
  const changes = diffConfig(stored, wanted, absent);
  const [collision] = collisions([...wanted.tables, ...remaining(stored, wanted, changes)]);
  if (collision) throw new FirnError('ConfigInvalid', collision.message);
  return { stored, wanted, changes };
}

/** Stored tables that stay and are not among those wanted. */
function remaining(stored: Map<string, StoredSource>, wanted: LoadedConfig, changes: Change[]): ConfiguredTable[] {
  const removed = changes
    .filter(({ change }) => change === 'removed')
    .map(({ source, database, table }) => `${source}/${database}/${table}`);
  const gone = new Set([...removed, ...wanted.tables.map(tableName)]);
  return [...stored.values()]
    .flatMap(({ settings: { source, database }, tables }) => [...tables.values()].map(({ config }) => ({ source, database, config })))
    .filter((table) => !gone.has(tableName(table)));
}

/**
 * Writes the changes to DynamoDB, then records in Snowflake whatever it has not seen yet: also of a push that ended in between.
 * Throws ConfigConflict when somebody pushed since `preparePush`.
 * @returns how many rows were recorded in Snowflake
 */
export async function push(store: ConfigStore, query: Query, { stored, wanted, changes }: Push): Promise<number> {
  const recorded = await readRecorded(query);
  // Snowflake may remember more than DynamoDB, when the stack was made anew: versions go on from there.
  const floor = (source: string, database: string) =>
    Math.max(0, ...recorded.filter((row) => row.source === source && row.database === database).map(({ version }) => version));
  await writeChanges(store, stored, wanted, changes, floor);
  return recordConfigs(query, recorded, await readStored(store));
}
