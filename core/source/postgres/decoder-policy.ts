import type { Column } from '../../column.js';
import { FirnError } from '../../errors.js';
import type { Plan } from '../../plan/plan.js';
import type { Unrepresentable } from './decoder.js';
import { fieldText } from './decoder-field.js';
import type { Decoder } from './types.js';

/** A value that was replaced by its column's policy: told for the first ones of each column. */
export interface Replaced {
  column: string;
  policy: string;
  value: string;
  /** `id=42`, or empty when the key is not among the columns. */
  key: string;
}

const toldPerColumn = 20;

/** What the policies of one extraction have done. */
export interface PolicyTally {
  /** Values replaced, by `COLUMN: policy`. */
  counts: Record<string, number>;
  replaced: Replaced[];
}

function isNonFinite(decoder: Decoder, view: DataView, at: number): boolean {
  return decoder.kind === 'numeric' && (view.getUint16(at + 4) & 0x8000) !== 0;
}

/**
 * Decides over each value that its column's type cannot hold, counts what is replaced, and names table, column, key and value of what is not.
 * `key` holds target names.
 */
export function applyPolicies(
  relation: Plan['relation'],
  columns: readonly Column[],
  decoders: readonly Decoder[],
  key: readonly string[],
  tally: PolicyTally,
): Unrepresentable {
  const keyFields = key.map((target) => columns.findIndex((column) => column.target === target));

  const keyText = (bytes: Uint8Array, view: DataView, row: number): string => {
    const fields: string[] = [];
    let p = row + 7;
    for (const decoder of decoders) {
      const length = view.getInt32(p);
      p += 4;
      fields.push(length < 0 ? 'NULL' : fieldText(decoder, bytes, view, p, length));
      p += Math.max(length, 0);
    }
    return keyFields
      .filter((field) => field >= 0)
      .map((field) => `${columns[field]!.name}=${fields[field]}`)
      .join(', ');
  };

  return (field, bytes, view, at, startOfRow) => {
    const column = columns[field]!;
    const decoder = decoders[field]!;
    const value = fieldText(decoder, bytes, view, at, view.getInt32(at - 4));
    const name = decoder.kind === 'numeric' ? 'numeric_nan' : 'date_out_of_range';
    const policy = column.unrepresentable ?? 'error';
    const replaceable = column.unrepresentable !== undefined && (decoder.kind !== 'numeric' || isNonFinite(decoder, view, at));
    if (!replaceable || policy === 'error') {
      const where = keyText(bytes, view, startOfRow());
      throw new FirnError(
        'ValueOutOfRange',
        `${relation.schema}.${relation.table}${where === '' ? '' : `, row ${where}`}: column ${column.name} (${column.sourceType}) holds ${value}, which ${column.staging} cannot hold${replaceable ? ` (policy ${name})` : ''}.`,
      );
    }
    const counted = `${column.target}: ${name}`;
    const count = (tally.counts[counted] ?? 0) + 1;
    tally.counts[counted] = count;
    if (count <= toldPerColumn) {
      tally.replaced.push({ column: column.target, policy: `${name}=${policy}`, value, key: keyText(bytes, view, startOfRow()) });
    }
    return policy;
  };
}
