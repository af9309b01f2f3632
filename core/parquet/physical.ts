import type { ParquetType } from '../column.js';

/** Numbers of the physical types. Source: parquet-format, parquet.thrift, `Type`. */
export const physicalType = { boolean: 0, int32: 1, int64: 2, float: 4, double: 5, byteArray: 6, fixed: 7 } as const;

/**
 * How the values of a column lie in memory between decoder and encoder:
 * `bits` one byte per value; `w4`, `w8` little endian as in PLAIN pages; `w16` big endian two's complement;
 * `bytes` a 4-byte little endian length before each value, as in PLAIN pages.
 */
export type Storage = 'bits' | 'w4' | 'w8' | 'w16' | 'bytes';

export const storageWidth: Record<Storage, number> = { bits: 1, w4: 4, w8: 8, w16: 16, bytes: 0 };

/** By what order statistics compare values; `none`: no minimum and maximum. */
export type Order = 'boolean' | 'int32' | 'int64' | 'int128' | 'float' | 'double' | 'bytes' | 'none';

export interface Physical {
  type: number;
  storage: Storage;
  order: Order;
}

export function physicalOf(type: ParquetType): Physical {
  switch (type.kind) {
    case 'boolean':
      return { type: physicalType.boolean, storage: 'bits', order: 'boolean' };
    case 'int32':
    case 'date':
      return { type: physicalType.int32, storage: 'w4', order: 'int32' };
    case 'int64':
    case 'time':
    case 'timestamp':
      return { type: physicalType.int64, storage: 'w8', order: 'int64' };
    case 'float':
      return { type: physicalType.float, storage: 'w4', order: 'float' };
    case 'double':
      return { type: physicalType.double, storage: 'w8', order: 'double' };
    case 'decimal':
      if (type.precision <= 9) return { type: physicalType.int32, storage: 'w4', order: 'int32' };
      if (type.precision <= 18) return { type: physicalType.int64, storage: 'w8', order: 'int64' };
      return { type: physicalType.fixed, storage: 'w16', order: 'int128' };
    case 'string':
    case 'binary':
      return { type: physicalType.byteArray, storage: 'bytes', order: 'bytes' };
    case 'json':
      return { type: physicalType.byteArray, storage: 'bytes', order: 'none' };
  }
}
