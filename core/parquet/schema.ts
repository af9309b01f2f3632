import type { ParquetType } from '../column.js';
import { physicalOf, physicalType } from './physical.js';
import type { ThriftWriter } from './thrift.js';

/** A column of the file. */
export interface FileColumn {
  name: string;
  type: ParquetType;
}

const optional = 1;

/** `ConvertedType`, for readers older than logical types. The specification wants it for local times as well. */
function convertedType(type: ParquetType): number | undefined {
  switch (type.kind) {
    // JSON is text in raw, to the letter: annotated as JSON it may be read as a value, and a JSON null becomes NULL, a string loses its quotes.
    case 'string':
    case 'json':
      return 0;
    case 'decimal':
      return 5;
    case 'date':
      return 6;
    case 'time':
      return 8;
    case 'timestamp':
      return 10;
    default:
      return undefined;
  }
}

function microseconds(writer: ThriftWriter, utc: boolean): void {
  writer.bool(1, utc);
  writer.struct(2, () => writer.struct(2, () => {}));
}

/** The union `LogicalType`, inside its field. */
function logicalType(writer: ThriftWriter, type: ParquetType): void {
  if (type.kind === 'string' || type.kind === 'json') writer.struct(1, () => {});
  else if (type.kind === 'decimal') writer.struct(5, () => decimal(writer, type));
  else if (type.kind === 'date') writer.struct(6, () => {});
  else if (type.kind === 'time') writer.struct(7, () => microseconds(writer, false));
  else if (type.kind === 'timestamp') writer.struct(8, () => microseconds(writer, type.utc));
}

function decimal(writer: ThriftWriter, { precision, scale }: { precision: number; scale: number }): void {
  writer.i32(1, scale);
  writer.i32(2, precision);
}

/**
 * The struct `SchemaElement` of a column. Every column is OPTIONAL: a policy may turn a value into NULL, and since
 * PostgreSQL 18 even a column marked NOT NULL may hold NULLs (NOT VALID).
 */
export function writeColumnSchema(writer: ThriftWriter, { name, type }: FileColumn): void {
  const physical = physicalOf(type).type;
  const converted = convertedType(type);
  writer.i32(1, physical);
  if (physical === physicalType.fixed) writer.i32(2, 16);
  writer.i32(3, optional);
  writer.binary(4, name);
  if (converted !== undefined) writer.i32(6, converted);
  if (type.kind === 'decimal') {
    writer.i32(7, type.scale);
    writer.i32(8, type.precision);
  }
  if (converted !== undefined) writer.struct(10, () => logicalType(writer, type));
}

/** The struct `SchemaElement` of the root. */
export function writeRootSchema(writer: ThriftWriter, columns: number): void {
  writer.binary(4, 'schema');
  writer.i32(5, columns);
}
