/**
 * The binary result set of a prepared statement: how values lie in a row.
 * Source: MySQL documentation, "Binary Protocol Resultset"; MariaDB's is the same.
 */

/** Numbers of the column types. */
export const columnType = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newDecimal: 246,
} as const;

const widths: Record<number, number> = {
  [columnType.tiny]: 1,
  [columnType.short]: 2,
  [columnType.year]: 2,
  [columnType.long]: 4,
  [columnType.int24]: 4,
  [columnType.float]: 4,
  [columnType.longlong]: 8,
  [columnType.double]: 8,
};

/** Bytes of a value of fixed width; undefined: its length stands before it. */
export const fixedWidth = (type: number): number | undefined => widths[type];

/** Dates and times begin with one byte for their length, everything else of variable width with a length-encoded integer. */
export const isTemporal = (type: number): boolean =>
  type === columnType.date || type === columnType.datetime || type === columnType.timestamp || type === columnType.time;

const columnTypes = new Map<number, string>(Object.entries(columnType).map(([name, number]) => [number, name]));

/** For messages. */
export const typeName = (type: number): string => columnTypes.get(type) ?? 'string';

/** A field of a row: `at` is where its value begins, behind its length. */
export interface Field {
  at: number;
  length: number;
}

/** Where the fields of a row lie, the slow way; null: NULL. `payload`: where the row's header byte is. */
export function fieldsOf(types: readonly number[], bytes: Uint8Array, view: DataView, payload: number): (Field | null)[] {
  let at = payload + 1 + ((types.length + 9) >> 3);
  return types.map((type, i) => {
    const bit = i + 2;
    if ((bytes[payload + 1 + (bit >> 3)]! & (1 << (bit & 7))) !== 0) return null;
    let length = fixedWidth(type);
    if (length === undefined) {
      const first = bytes[at++]!;
      if (first < 0xfb || isTemporal(type)) length = first;
      else if (first === 0xfc) {
        length = view.getUint16(at, true);
        at += 2;
      } else if (first === 0xfd) {
        length = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
        at += 3;
      } else {
        length = view.getUint32(at, true);
        at += 8;
      }
    }
    const field = { at, length };
    at += length;
    return field;
  });
}
