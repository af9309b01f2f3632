import type { TableConfig } from './schema.js';
import { rawNames, targetOf } from './targets.js';

export interface ConfiguredTable {
  source: string;
  database: string;
  config: TableConfig;
}

export const tableName = ({ source, database, config }: ConfiguredTable): string => `${source}/${database}/${config.table}`;

export interface Collision<T extends ConfiguredTable> {
  /** The later of the two. */
  table: T;
  other: T;
  message: string;
}

/** Tables that are configured twice, or whose names in Snowflake meet (names that differ only by case count as one). */
export function collisions<T extends ConfiguredTable>(tables: T[]): Collision<T>[] {
  const configured = new Map<string, T>();
  const taken = new Map<string, T>();
  const found: Collision<T>[] = [];
  for (const table of tables) {
    const twin = configured.get(tableName(table));
    if (twin) {
      found.push({ table, other: twin, message: `${tableName(table)} is configured twice` });
      continue;
    }
    configured.set(tableName(table), table);
    const target = targetOf(table.database, table.config);
    const names = rawNames(target).map((name) => `${target.rawSchema}.${name}`);
    const meeting = names.find((name) => taken.has(name.toUpperCase()));
    if (meeting) {
      const other = taken.get(meeting.toUpperCase())!;
      const message = `${tableName(table)} and ${tableName(other)} would both be ${meeting} in Snowflake: give one of them target.schema or target.table`;
      found.push({ table, other, message });
    }
    for (const name of names) taken.set(name.toUpperCase(), table);
  }
  return found;
}
