import type { Column } from '../column.js';
import { quoteIdentifier, quoteLiteral } from './identifiers.js';
import { keyColumns, type MergePlan } from './merge-plan.js';

/**
 * The range of the keys in a work table, as constants in the MERGE: they let Snowflake skip the target's micro-partitions before it
 * joins. Texts as summariseWorkTable prints them.
 */
export interface KeyRange {
  min: string;
  max: string;
}

interface Bounds {
  column: string;
  /** SQL that prints a value of the column, exactly. */
  print(value: string): string;
  /** SQL of the printed value; null when it is nothing that may stand in a statement. */
  literal(text: string): string | null;
}

/** Longer texts are not worth their place in the statement. */
const textLimit = 255;

/** A NULL is in no range: the row of a key that may be NULL would not be found again. */
function boundsOf({ target, nullable, staging }: Column): Bounds | null {
  const column = quoteIdentifier(target);
  if (nullable) return null;
  const typed = (format: string, type: string, pattern: RegExp): Bounds => ({
    column,
    print: (value) => `TO_VARCHAR(${value}, '${format}')`,
    literal: (text) => (pattern.test(text) ? `CAST(${quoteLiteral(text)} AS ${type})` : null),
  });
  if (/^NUMBER(\(\d+,\s*0\))?$/.test(staging)) {
    return { column, print: (value) => `TO_VARCHAR(${value})`, literal: (text) => (/^-?\d+$/.test(text) ? text : null) };
  }
  if (staging === 'DATE') return typed('YYYY-MM-DD', 'DATE', /^\d{4}-\d\d-\d\d$/);
  if (/^TIMESTAMP_NTZ(\(6\))?$/.test(staging)) {
    return typed('YYYY-MM-DD HH24:MI:SS.FF6', 'TIMESTAMP_NTZ(6)', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
  }
  if (/^VARCHAR/.test(staging)) {
    return { column, print: (value) => value, literal: (text) => (text.length <= textLimit ? quoteLiteral(text) : null) };
  }
  return null;
}

const prunable = (plan: MergePlan): Bounds[] => keyColumns(plan).flatMap((column) => boundsOf(column) ?? []);

/** ROWS_KEPT, and MIN_0, MAX_0, MIN_1, … as text: the ranges of the key's columns that can be pruned by. */
export function summariseWorkTable(plan: MergePlan, work: string): string {
  const ranges = prunable(plan).map(
    ({ column, print }, i) => `, ${print(`MIN(${column})`)} AS MIN_${i}, ${print(`MAX(${column})`)} AS MAX_${i}`,
  );
  return `SELECT COUNT(*) AS ROWS_KEPT${ranges.join('')} FROM ${work}`;
}

/** The ranges in a row of summariseWorkTable; none when the work table is empty. */
export function keyRanges(plan: MergePlan, row: Record<string, unknown>): KeyRange[] {
  return prunable(plan).flatMap((_, i) => {
    const [min, max] = [row[`MIN_${i}`], row[`MAX_${i}`]];
    return typeof min === 'string' && typeof max === 'string' ? [{ min, max }] : [];
  });
}

/** Conditions on the table `alias`, one per range that can be stated. */
export function withinRanges(plan: MergePlan, alias: string, ranges: KeyRange[]): string[] {
  return prunable(plan).flatMap(({ column, literal }, i) => {
    const range = ranges[i];
    const [min, max] = range ? [literal(range.min), literal(range.max)] : [null, null];
    return min === null || max === null ? [] : [`${alias}.${column} BETWEEN ${min} AND ${max}`];
  });
}
