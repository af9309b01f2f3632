import type { Column } from '../column.js';
import { type ColumnType, compareTypes, parseType } from '../warehouse/types.js';
import type { Plan } from './plan.js';
import { isWidening } from './widening.js';

/** The plan of the run that committed last, beside the one that is being made. */
export type ReadBefore = Pick<Plan, 'columns' | 'primaryKey' | 'relation' | 'rowFilter' | 'target'>;

const sameStaging = ({ target: a }: ReadBefore, { target: b }: ReadBefore): boolean =>
  a.stagingSchema === b.stagingSchema && a.stagingTable === b.stagingTable;

const isAnotherTable = ({ relation: a }: ReadBefore, { relation: b }: ReadBefore): boolean =>
  a.oid !== undefined && b.oid !== undefined && a.oid !== b.oid;

/**
 * Why rows that nobody has written since the last run must be read again: their cursor does not rise when the table or a column is dropped
 * and made again, when a column comes with a default, is renamed, gets another type or is included again, nor when the filter or the place
 * of the table changes. Null: they need not be.
 */
export function whyReadAgain(before: ReadBefore, now: ReadBefore): string | null {
  if (!sameStaging(before, now)) return `its table in Snowflake was ${before.target.stagingSchema}.${before.target.stagingTable}`;
  if (before.relation.schema !== now.relation.schema || before.relation.table !== now.relation.table) {
    return `it was read from ${before.relation.schema}.${before.relation.table}`;
  }
  if (isAnotherTable(before, now)) return 'it was dropped and made again';
  if (before.rowFilter !== now.rowFilter) return 'row_filter is another';
  const reasons = now.columns.map((column) => whyColumn(before.columns, column)).filter((reason) => reason !== null);
  return reasons.length === 0 ? null : reasons.join('; ');
}

/** One line per column that has another name since the last run: nothing is dropped silently. */
export function renames(before: ReadBefore, now: ReadBefore): string[] {
  if (isAnotherTable(before, now)) return [];
  return now.columns.flatMap((column) => {
    const held = heldColumn(before.columns, column);
    if (held === undefined || held.name === column.name) return [];
    const renamed = `Column ${held.name} was renamed to ${column.name} at the source.`;
    if (held.target === column.target) return [`${renamed} It stays ${column.target} in Snowflake.`];
    const emptied = now.columns.some(({ target }) => target === held.target) ? '' : `, and ${held.target} is no longer filled`;
    return [`${renamed} Its values go to ${column.target} from now on${emptied}.`];
  });
}

/** The same column as the source counts it; without its number, the one of the same name. */
function heldColumn(before: readonly Column[], { name, attnum }: Column): Column | undefined {
  return before.find((held) => (held.attnum === undefined || attnum === undefined ? held.name === name : held.attnum === attnum));
}

function whyColumn(before: readonly Column[], column: Column): string | null {
  const { name, target } = column;
  const held = heldColumn(before, column);
  if (held === undefined) return before.some((one) => one.name === name) ? `${name} was dropped and added again` : `${name} is new`;
  if (held.target !== target) return held.name === name ? `${name} was ${held.target} in Snowflake` : `${held.name} is now named ${name}`;
  if (!sameType(held, column) && !isWidened(held, column)) return `${name} was ${held.sourceType} and is ${column.sourceType}`;
  return held.unrepresentable === column.unrepresentable && held.mask === column.mask ? null : `another policy holds for ${name}`;
}

function sameSourceType(a: Column, b: Column): boolean {
  const sameOid = a.typeOid === undefined || b.typeOid === undefined || a.typeOid === b.typeOid;
  return sameOid && a.sourceType === b.sourceType;
}

const sameType = (a: Column, b: Column): boolean =>
  sameSourceType(a, b) && a.raw === b.raw && a.staging === b.staging && a.convert === b.convert;

/** The rows in staging hold what they would hold if they were read again. */
function isWidened(before: Column, now: Column): boolean {
  const fits = (a: string, b: string): boolean => compareTypes(parseType(a), parseType(b)).kind !== 'incompatible';
  return (
    (sameSourceType(before, now) || isWidening(before.sourceType, now.sourceType)) &&
    before.convert === now.convert &&
    fits(before.raw, now.raw) &&
    fits(before.staging, now.staging)
  );
}

/** The key by which staging was merged before, if that was another one: its rows cannot be found by the new one. */
export function formerKey(before: ReadBefore, now: ReadBefore): string[] | null {
  const same = before.primaryKey.length === now.primaryKey.length && before.primaryKey.every((name) => now.primaryKey.includes(name));
  return (same && !isRetyped(before, now)) || !sameStaging(before, now) ? null : before.primaryKey;
}

/** Whether a column of the key stands elsewhere than before, or holds other values for the same rows. */
function isRetyped(before: ReadBefore, now: ReadBefore): boolean {
  return now.primaryKey.some((key) => {
    const [held, wanted] = [before, now].map(({ columns }) => columns.find(({ target }) => target === key));
    return held && wanted && !keepsValues(held, wanted);
  });
}

function keepsValues(held: Column, wanted: Column): boolean {
  const [before, now] = [held, wanted].map(({ staging }) => parseType(staging)) as [ColumnType, ColumnType];
  if (held.mask !== wanted.mask || compareTypes(before, now).kind === 'incompatible') return false;
  const types = [held.sourceType, wanted.sourceType] as [string, string];
  return (
    types[0] === types[1] ||
    isWidening(...types) ||
    isWidening(types[1], types[0]) ||
    [before, now].every(({ family, scale }) => family === 'NUMBER' && scale === 0) ||
    // As MySQL prints it.
    types.every((type) => /^varchar\(\d+\)$/.test(type))
  );
}
