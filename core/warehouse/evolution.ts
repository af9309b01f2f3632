import type { Plan } from '../plan/plan.js';
import { type HeldColumn, heldType } from './ddl.js';
import { compareTypes, parseType } from './types.js';

/**
 * Where the columns of a plan stand in Snowflake, beside those of other types and those that the source no longer has. Pure, free of Node
 * APIs: PREPARE_TABLE alone decides by it, because it alone sees what the tables hold.
 */

const version = (target: string, number: number): string => (number === 1 ? target : `${target}__V${number}`);

const takes = (held: readonly HeldColumn[], name: string, wanted: string): boolean => {
  const found = held.find((one) => one.name === name);
  return found === undefined || compareTypes(parseType(heldType(found)), parseType(wanted)).kind !== 'incompatible';
};

/**
 * Names of the columns that do not stand under the name that was planned, because a column of that name cannot become their type:
 * `AMOUNT__V2`, then `AMOUNT__V3`. The version that the run `before` has written goes on being written while it can, else the latest that
 * a run has prepared, else a new one: so a type that returns gets a new column too, unless nothing of the other type was merged.
 */
export function placeColumns(
  { columns }: Pick<Plan, 'columns'>,
  raw: readonly HeldColumn[],
  staging: readonly HeldColumn[],
  before: Pick<Plan, 'columns'> | null,
): Record<string, string> {
  const planned = new Set(columns.map(({ target }) => target));
  const held = new Set([...raw, ...staging].map(({ name }) => name));
  const placed: Record<string, string> = {};
  for (const column of columns) {
    const free = (number: number): boolean => number === 1 || !planned.has(version(column.target, number));
    const numbers = [...held].flatMap((name) => versionOf(name, column.target)).filter(free);
    const latest = Math.max(1, ...numbers);
    const written = [1, ...numbers].find((number) => before?.columns.some(({ target }) => target === version(column.target, number)));
    const fits = [written ?? latest, latest].find((number) => {
      const name = version(column.target, number);
      return takes(raw, name, column.raw) && takes(staging, name, column.staging);
    });
    let number = fits ?? latest + 1;
    while (!free(number)) number++;
    if (number > 1) placed[column.target] = version(column.target, number);
  }
  return placed;
}

/** The number of a version of `target`; empty when `name` is none. */
function versionOf(name: string, target: string): number[] {
  const number = name.startsWith(`${target}__V`) ? name.slice(target.length + 3) : '';
  return /^[1-9]\d{0,3}$/.test(number) && number !== '1' ? [Number(number)] : [];
}

type Merged = Pick<Plan, 'columns' | 'primaryKey' | 'target' | 'retired'>;

/**
 * Columns that earlier runs have written and this one does not; never those that somebody else has added. They are NULL in each row that is
 * written, but for the first run after columns have come or gone: it writes all rows again, whether they have changed or not.
 */
export function retiredColumns(before: Merged, now: Merged, staging: readonly HeldColumn[]): NonNullable<Plan['retired']> {
  const was = before.columns.map(({ target }) => target);
  const is = new Set(now.columns.map(({ target }) => target));
  const held = new Set(staging.map(({ name }) => name));
  const columns = [...new Set([...(before.retired?.columns ?? []), ...was])].filter((name) => !is.has(name) && held.has(name));
  return { columns, cleared: was.length === is.size && was.every((name) => is.has(name)) };
}

/** Whether staging holds rows by another key. */
export function isAnotherKey(before: Merged, now: Merged): boolean {
  const sameTable = before.target.stagingSchema === now.target.stagingSchema && before.target.stagingTable === now.target.stagingTable;
  if (!sameTable || now.primaryKey.length === 0) return false;
  return before.primaryKey.length !== now.primaryKey.length || !before.primaryKey.every((name) => now.primaryKey.includes(name));
}

/** One line per column that is another one than in the run that was merged last, for the receipt. `planned`: before it was placed. */
export function evolutionNotes(before: Merged, planned: Merged, now: Merged): string[] {
  const notes: string[] = [];
  const explained = new Set(now.columns.map(({ target }) => target));
  for (const [index, column] of now.columns.entries()) {
    const { target, staging } = column;
    const held = before.columns.find((one) => one.target === target);
    if (held) {
      if (held.staging !== staging) notes.push(`Column ${target} was ${held.staging} and is written as ${staging}.`);
      continue;
    }
    const base = planned.columns[index]!.target;
    const former = before.columns.find((one) => one.target === base || versionOf(one.target, base).length > 0);
    if (target === base || !former) notes.push(`Column ${target} is new: ${staging}.`);
    else {
      notes.push(
        `Column ${column.name} is ${staging} now, which ${former.target} (${former.staging}) cannot become: its values are in ${target} from now on, and ${former.target} keeps those it has.`,
      );
      explained.add(former.target);
    }
  }
  for (const { target } of before.columns) {
    if (!explained.has(target))
      notes.push(`Column ${target} is no longer read: it keeps its values, and is NULL in rows that later runs write.`);
  }
  return notes;
}
