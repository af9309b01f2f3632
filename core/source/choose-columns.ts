import type { Column } from '../column.js';
import type { TableConfig } from '../config/schema.js';
import { FirnError } from '../errors.js';

/**
 * The columns that the configuration leaves.
 * @throws FirnError ConfigInvalid: it names one that does not exist, or leaves none
 */
export function chooseColumns<C extends { name: string }>(all: C[], settings: TableConfig['columns'], table: string): C[] {
  const known = new Set(all.map((column) => column.name));
  const { include, exclude = [], rename = {}, large = [], mask = {} } = settings ?? {};
  const named = { include: include ?? [], exclude, rename: Object.keys(rename), large, mask: Object.keys(mask) };
  for (const [key, names] of Object.entries(named)) {
    const missing = names.find((name) => !known.has(name));
    if (missing !== undefined)
      throw new FirnError('ConfigInvalid', `${table}: columns.${key} names ${missing}, which is not a column of the table.`);
  }
  const chosen = all.filter(({ name }) => (include === undefined || include.includes(name)) && !exclude.includes(name));
  if (chosen.length === 0) throw new FirnError('ConfigInvalid', `${table}: no column is left to read.`);
  return chosen;
}

/** @throws FirnError ColumnNameCollision: two targets are equal but for case, or one is a column of Firn */
export function refuseCollisions(columns: Column[], table: string): void {
  const taken = new Map<string, string>();
  for (const { name, target } of columns) {
    const key = target.toUpperCase();
    const other = key.startsWith('_FIRN_') ? "one of Firn's own columns" : taken.get(key);
    if (other !== undefined)
      throw new FirnError('ColumnNameCollision', `${table}: column ${name} would be ${target} in Snowflake, as is ${other}.`);
    taken.set(key, `column ${name}`);
  }
}
