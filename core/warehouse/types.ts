/**
 * Snowflake column types, as far as evolution must compare them.
 * Source: Snowflake documentation, "ALTER TABLE … ALTER COLUMN": only VARCHAR's length and NUMBER's precision can grow.
 */
export interface ColumnType {
  family: string;
  /** NUMBER only. */
  precision: number;
  /** NUMBER only. */
  scale: number;
  /** VARCHAR and BINARY only. */
  length: number;
}

const synonyms: Record<string, string> = { TEXT: 'VARCHAR', STRING: 'VARCHAR', DOUBLE: 'FLOAT', REAL: 'FLOAT', DECIMAL: 'NUMBER' };
const defaultLength: Record<string, number> = { VARCHAR: 16_777_216, BINARY: 8_388_608 };

/** Reads `NUMBER(12,2)`, `VARCHAR`, `TIMESTAMP_NTZ(6)`, … @throws on anything else. */
export function parseType(text: string): ColumnType {
  const match = /^([A-Z_]+)(?:\((\d+)(?:,\s*(\d+))?\))?$/.exec(text.trim().toUpperCase());
  if (!match) throw new Error(`not a Snowflake type: ${text}`);
  const [, word = '', first, second] = match;
  const family = synonyms[word] ?? word;
  return {
    family,
    precision: family === 'NUMBER' ? Number(first ?? 38) : 0,
    scale: family === 'NUMBER' ? Number(second ?? 0) : 0,
    length: family in defaultLength ? Number(first ?? defaultLength[family]) : 0,
  };
}

/** What must happen to a column of type `held` so that it can take values of type `wanted`. */
export type Change = { kind: 'none' } | { kind: 'widen'; type: string } | { kind: 'incompatible' };

export function compareTypes(held: ColumnType, wanted: ColumnType): Change {
  if (held.family !== wanted.family) return { kind: 'incompatible' };
  if (held.family === 'NUMBER') {
    if (wanted.scale > held.scale) return { kind: 'incompatible' };
    const precision = wanted.precision - wanted.scale + held.scale;
    if (precision <= held.precision) return { kind: 'none' };
    return precision > 38 ? { kind: 'incompatible' } : { kind: 'widen', type: `NUMBER(${precision},${held.scale})` };
  }
  return wanted.length > held.length ? { kind: 'widen', type: `${held.family}(${wanted.length})` } : { kind: 'none' };
}
