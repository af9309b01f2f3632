import type { Column } from '../../column.js';
import { FirnError } from '../../errors.js';
import type { Plan } from '../../plan/plan.js';
import type { Unrepresentable } from './decoder.js';
import { fieldText } from './decoder-field.js';
import { numericText } from './decoder-numeric.js';
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

interface Decision {
  name: string;
  policy: 'error' | 'null' | 'clamp' | 'float';
}

/** The policy that has a say over a value of the column; null: none has. */
function decide({ unrepresentable }: Column, decoder: Decoder, view: DataView, at: number): Decision | null {
  if (decoder.kind === 'numericDouble') {
    const value = Number(numericText(view, at));
    // Of what is beyond the range of doubles none is near.
    return Number.isFinite(value) && value !== 0 ? { name: 'unbounded_numeric', policy: 'float' } : null;
  }
  if (unrepresentable === undefined) return null;
  if (decoder.kind !== 'numeric') return { name: 'date_out_of_range', policy: unrepresentable };
  const isNumber = (view.getUint16(at + 4) & 0x8000) === 0;
  return isNumber ? null : { name: 'numeric_nan', policy: unrepresentable };
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
    const value = (): string => fieldText(decoder, bytes, view, at, view.getInt32(at - 4));
    const decision = decide(column, decoder, view, at);
    if (decision === null || decision.policy === 'error') {
      const where = keyText(bytes, view, startOfRow());
      throw new FirnError(
        'ValueOutOfRange',
        `${relation.schema}.${relation.table}${where === '' ? '' : `, row ${where}`}: column ${column.name} (${column.sourceType}) holds ${value()}, which ${column.staging} cannot hold${decision === null ? '' : ` (policy ${decision.name})`}.`,
      );
    }
    const { name, policy } = decision;
    const counted = `${column.target}: ${name}`;
    const count = (tally.counts[counted] ?? 0) + 1;
    tally.counts[counted] = count;
    if (count <= toldPerColumn) {
      tally.replaced.push({ column: column.target, policy: `${name}=${policy}`, value: value(), key: keyText(bytes, view, startOfRow()) });
    }
    return policy === 'null' ? 'null' : 'clamp';
  };
}
