import type { Plan } from './plan.js';

/** The plan of the run that committed last, beside the one that is being made. */
export type ReadBefore = Pick<Plan, 'columns' | 'primaryKey' | 'relation' | 'rowFilter' | 'target'>;

const sameStaging = ({ target: a }: ReadBefore, { target: b }: ReadBefore): boolean =>
  a.stagingSchema === b.stagingSchema && a.stagingTable === b.stagingTable;

/**
 * Why rows that nobody has written since the last run must be read again: their cursor does not rise when a column comes with a default,
 * is renamed, gets another type or is included again, nor when the filter or the place of the table changes. Null: they need not be.
 */
export function whyReadAgain(before: ReadBefore, now: ReadBefore): string | null {
  if (!sameStaging(before, now)) return `its table in Snowflake was ${before.target.stagingSchema}.${before.target.stagingTable}`;
  if (before.relation.schema !== now.relation.schema || before.relation.table !== now.relation.table) {
    return `it was read from ${before.relation.schema}.${before.relation.table}`;
  }
  if (before.rowFilter !== now.rowFilter) return 'row_filter is another';
  const fresh = now.columns.filter(
    ({ name, target, sourceType, unrepresentable }) =>
      !before.columns.some(
        (held) =>
          held.name === name && held.target === target && held.sourceType === sourceType && held.unrepresentable === unrepresentable,
      ),
  );
  return fresh.length === 0 ? null : `new or of another type: ${fresh.map(({ name }) => name).join(', ')}`;
}

/** The key by which staging was merged before, if that was another one: its rows cannot be found by the new one. */
export function formerKey(before: ReadBefore, now: ReadBefore): string[] | null {
  const same = before.primaryKey.length === now.primaryKey.length && before.primaryKey.every((name) => now.primaryKey.includes(name));
  return same || !sameStaging(before, now) ? null : before.primaryKey;
}
