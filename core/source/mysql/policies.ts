import type { Column } from '../../column.js';
import { FirnError } from '../../errors.js';
import type { Relation, Replaced } from '../source.js';
import type { Unrepresentable } from './decoder.js';
import type { WireColumn } from './decoder-source.js';
import { fieldText } from './field-text.js';
import { byteLimit } from './limits.js';
import { fieldsOf } from './wire.js';

const toldPerColumn = 20;

/** What the policies of one extraction have done. */
export interface PolicyTally {
  /** Values replaced, by `COLUMN: policy`. */
  counts: Record<string, number>;
  replaced: Replaced[];
}

/** Which policy decides over the values that a column's decoder has no place for; null: none does. */
function policyOf({ decoder }: WireColumn): string | null {
  if (decoder.kind === 'decimalDouble') return 'unbounded_numeric';
  return ['date', 'datetime', 'time'].includes(decoder.kind) ? 'date_out_of_range' : null;
}

/** What to do about a value that no policy replaces, or that the policy makes an error. */
function advice({ decoder }: WireColumn): string {
  if (decoder.kind === 'boolean') return ' (policy tinyint1)';
  if (decoder.kind === 'decimal') return ' (policy unbounded_numeric)';
  if (decoder.kind === 'time') return ' (policies date_out_of_range, time)';
  return policyOf({ decoder, type: 0 }) === null ? '' : ' (policy date_out_of_range)';
}

/**
 * Decides over each value that its column's type cannot hold, counts what is replaced, and names table, column, key and value of what is not.
 * `key` holds target names.
 */
export function applyPolicies(
  relation: Relation,
  columns: readonly Column[],
  wire: readonly WireColumn[],
  key: readonly string[],
  tally: PolicyTally,
): Unrepresentable {
  const types = wire.map(({ type }) => type);
  const keyFields = key.map((target) => columns.findIndex((column) => column.target === target)).filter((field) => field >= 0);

  return (field, bytes, view, payload) => {
    const fields = fieldsOf(types, bytes, view, payload);
    const textOf = (i: number): string => {
      const found = fields[i];
      if (!found) return 'NULL';
      if (found.length > byteLimit(wire[i]!.decoder)) return `${found.length} bytes`;
      return fieldText(wire[i]!, bytes, view, found);
    };
    const column = columns[field]!;
    const where = keyFields.map((i) => `${columns[i]!.name}=${textOf(i)}`).join(', ');
    const name = policyOf(wire[field]!);
    const policy = name === 'unbounded_numeric' ? 'float' : (column.unrepresentable ?? 'error');
    const value = textOf(field);
    if (name === null || policy === 'error') {
      throw new FirnError(
        'ValueOutOfRange',
        `${relation.schema}.${relation.table}${where === '' ? '' : `, row ${where}`}: column ${column.name} (${column.sourceType}) holds ${value}, which ${column.staging} cannot hold${advice(wire[field]!)}.`,
      );
    }
    const counted = `${column.target}: ${name}`;
    const count = (tally.counts[counted] ?? 0) + 1;
    tally.counts[counted] = count;
    if (count <= toldPerColumn) tally.replaced.push({ column: column.target, policy: `${name}=${policy}`, value, key: where });
    return policy === 'null' ? 'null' : 'clamp';
  };
}
