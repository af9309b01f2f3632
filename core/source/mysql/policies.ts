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
  const policy = policyOf({ decoder, type: 0 });
  return policy === null ? '' : ` (policy ${policy})`;
}

/**
 * Decides over each value that its column's type cannot hold, counts what is replaced, and names table, column, key and value of what is not.
 * `primaryKey` holds target names.
 */
export function applyPolicies(
  relation: Relation,
  columns: readonly Column[],
  wire: readonly WireColumn[],
  primaryKey: readonly string[],
  tally: PolicyTally,
): Unrepresentable {
  const types = wire.map(({ type }) => type);
  const keyFields = primaryKey.map((target) => columns.findIndex((column) => column.target === target)).filter((field) => field >= 0);

  /** The value and its row's key. */
  const tell = (field: number, bytes: Uint8Array, view: DataView, payload: number): Pick<Replaced, 'value' | 'key'> => {
    const fields = fieldsOf(types, bytes, view, payload);
    const textOf = (i: number): string => {
      const found = fields[i];
      if (!found) return 'NULL';
      if (found.length > byteLimit(wire[i]!.decoder)) return `${found.length} bytes`;
      return fieldText(wire[i]!, bytes, view, found);
    };
    return { value: textOf(field), key: keyFields.map((i) => `${columns[i]!.name}=${textOf(i)}`).join(', ') };
  };

  return (field, bytes, view, payload) => {
    const column = columns[field]!;
    const name = policyOf(wire[field]!);
    const policy = name === 'unbounded_numeric' ? 'float' : (column.unrepresentable ?? 'error');
    if (name === null || policy === 'error') {
      const { value, key } = tell(field, bytes, view, payload);
      throw new FirnError(
        'ValueOutOfRange',
        `${relation.schema}.${relation.table}${key === '' ? '' : `, row ${key}`}: column ${column.name} (${column.sourceType}) holds ${value}, which ${column.staging} cannot hold${advice(wire[field]!)}.`,
      );
    }
    const counted = `${column.target}: ${name}`;
    const count = (tally.counts[counted] ?? 0) + 1;
    tally.counts[counted] = count;
    if (count <= toldPerColumn)
      tally.replaced.push({ column: column.target, policy: `${name}=${policy}`, ...tell(field, bytes, view, payload) });
    return policy === 'null' ? 'null' : 'clamp';
  };
}
