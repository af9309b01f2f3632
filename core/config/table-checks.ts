import type { KeyPath } from './problem.js';
import type { TableConfig } from './schema.js';
import { columnTarget } from './targets.js';

/** Something wrong between keys of one table. `path` counts from the table. */
export interface TableProblem {
  path: KeyPath;
  message: string;
}

const repeated = (names: string[]): number => names.findIndex((name, index) => names.indexOf(name) !== index);

/** What the schema cannot say: keys that need or exclude each other, and columns whose names meet in Snowflake. */
export function checkTable(config: TableConfig): TableProblem[] {
  const problems: TableProblem[] = [];
  const wrong = (path: KeyPath, message: string) => problems.push({ path, message });
  const { include, exclude, rename = {}, large = [], mask = {} } = config.columns ?? {};
  const primaryKey = config.primary_key ?? [];

  if (config.mode === 'incremental' && !config.cursor_column) {
    wrong(['mode'], 'incremental needs cursor_column: a column that every INSERT and UPDATE sets, such as updated_at');
  }
  if (config.delete_detection === 'keys' && config.mode !== 'incremental') {
    wrong(['delete_detection'], 'keys is for incremental tables: a full run sees by its rows which ones are gone');
  }
  if (config.cursor_time_zone && !isZone(config.cursor_time_zone)) {
    wrong(['cursor_time_zone'], `"${config.cursor_time_zone}" is no time zone: expected a name such as Europe/Berlin or UTC`);
  }
  if (include && exclude) wrong(['columns', 'exclude'], 'give include or exclude, not both');
  for (const [path, names] of [
    [['primary_key'], primaryKey],
    [['columns', 'include'], include ?? []],
    [['columns', 'exclude'], exclude ?? []],
    [['columns', 'large'], large],
  ] as [KeyPath, string[]][]) {
    const index = repeated(names);
    if (index >= 0) wrong([...path, index], `"${names[index]}" stands here twice`);
  }
  const left = (column: string) => (include ? !include.includes(column) : (exclude?.includes(column) ?? false));
  for (const [index, column] of primaryKey.entries()) {
    if (left(column))
      wrong(
        ['primary_key', index],
        `"${column}" is part of the primary key and cannot be left out by columns.${include ? 'include' : 'exclude'}`,
      );
  }
  for (const column of Object.keys(rename)) {
    if (left(column))
      wrong(
        ['columns', 'rename', column],
        `"${column}" is left out by columns.${include ? 'include' : 'exclude'}: there is nothing to rename`,
      );
  }
  for (const [column, how] of Object.entries(mask)) {
    if (how === 'null' && primaryKey.includes(column))
      wrong(['columns', 'mask', column], `"${column}" is part of the primary key, which cannot be NULL: mask it by sha256`);
  }
  for (const [column, target] of Object.entries(rename)) {
    if (target.toUpperCase().startsWith('_FIRN_'))
      wrong(['columns', 'rename', column], `"${target}": names that begin with _FIRN_ are Firn's own`);
  }
  return [...problems, ...columnCollisions(config)];
}

/** Names only: PostgreSQL reads the sign of `+02:00` the other way round. */
function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

/** Among the columns that the configuration names; `plan` checks the rest of the table. */
function columnCollisions(config: TableConfig): TableProblem[] {
  const { include = [], rename = {} } = config.columns ?? {};
  const named = new Set([
    ...include,
    ...(config.primary_key ?? []),
    ...(config.cursor_column ? [config.cursor_column] : []),
    ...Object.keys(rename),
  ]);
  const taken = new Map<string, string>();
  const problems: TableProblem[] = [];
  for (const column of named) {
    const target = columnTarget(config, column);
    const other = taken.get(target.toUpperCase());
    if (other === undefined) {
      taken.set(target.toUpperCase(), column);
      continue;
    }
    const path: KeyPath = Object.hasOwn(rename, column) ? ['columns', 'rename', column] : ['columns'];
    problems.push({ path, message: `"${column}" and "${other}" both become ${target.toUpperCase()} in Snowflake: rename one of them` });
  }
  return problems;
}
