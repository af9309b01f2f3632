import type { Page } from './column-chunk.js';
import { encoding } from './column-chunk.js';
import { physicalOf } from './physical.js';
import { type FileColumn, writeColumnSchema, writeRootSchema } from './schema.js';
import type { Statistics } from './statistics.js';
import { ThriftWriter } from './thrift.js';

/** Where a column chunk lies and what it holds. Offsets and sizes in bytes. */
export interface ChunkMetadata {
  rows: number;
  /** Number of the codec of its pages. */
  codec: number;
  statistics: Statistics;
  dictionaryOffset: number | null;
  dataOffset: number;
  compressedBytes: number;
  uncompressedBytes: number;
}

export interface RowGroupMetadata {
  rows: number;
  chunks: ChunkMetadata[];
}

export const magic = new Uint8Array([0x50, 0x41, 0x52, 0x31]);

/** The struct `PageHeader`. */
export function pageHeader(page: Page, compressedBytes: number): Uint8Array {
  const writer = new ThriftWriter();
  writer.i32(1, page.kind === 'data' ? 0 : 2);
  writer.i32(2, page.body.length);
  writer.i32(3, compressedBytes);
  writer.struct(page.kind === 'data' ? 5 : 7, () => {
    writer.i32(1, page.values);
    writer.i32(2, page.encoding);
    if (page.kind === 'data') {
      writer.i32(3, encoding.rle);
      writer.i32(4, encoding.rle);
    }
  });
  return writer.finish();
}

function writeStatistics(writer: ThriftWriter, statistics: Statistics): void {
  writer.i64(3, statistics.nulls);
  if (statistics.max) writer.binary(5, statistics.max);
  if (statistics.min) writer.binary(6, statistics.min);
  if (statistics.max) writer.bool(7, statistics.maxExact);
  if (statistics.min) writer.bool(8, statistics.minExact);
}

function writeChunk(writer: ThriftWriter, column: FileColumn, chunk: ChunkMetadata): void {
  const encodings =
    chunk.dictionaryOffset === null ? [encoding.plain, encoding.rle] : [encoding.plain, encoding.rle, encoding.rleDictionary];
  writer.i64(2, chunk.dictionaryOffset ?? chunk.dataOffset);
  writer.struct(3, () => {
    writer.i32(1, physicalOf(column.type).type);
    writer.list(2, 'i32', encodings, (item) => writer.i32Element(item));
    writer.list(3, 'binary', [column.name], (item) => writer.binaryElement(item));
    writer.i32(4, chunk.codec);
    writer.i64(5, chunk.rows);
    writer.i64(6, chunk.uncompressedBytes);
    writer.i64(7, chunk.compressedBytes);
    writer.i64(9, chunk.dataOffset);
    if (chunk.dictionaryOffset !== null) writer.i64(11, chunk.dictionaryOffset);
    writer.struct(12, () => writeStatistics(writer, chunk.statistics));
  });
}

function writeRowGroup(writer: ThriftWriter, columns: readonly FileColumn[], group: RowGroupMetadata, ordinal: number): void {
  const indexed = group.chunks.map((chunk, i) => ({ chunk, column: columns[i]! }));
  const first = group.chunks[0]!;
  writer.list(1, 'struct', indexed, ({ chunk, column }) => writeChunk(writer, column, chunk));
  writer.i64(
    2,
    group.chunks.reduce((sum, chunk) => sum + chunk.uncompressedBytes, 0),
  );
  writer.i64(3, group.rows);
  writer.i64(5, first.dictionaryOffset ?? first.dataOffset);
  writer.i64(
    6,
    group.chunks.reduce((sum, chunk) => sum + chunk.compressedBytes, 0),
  );
  if (ordinal < 32_768) writer.i16(7, ordinal);
}

/** Everything after the last page: `FileMetaData`, its length and the closing magic. */
export function footer(
  columns: readonly FileColumn[],
  groups: readonly RowGroupMetadata[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const writer = new ThriftWriter();
  const elements = [null, ...columns];
  writer.i32(1, 1);
  writer.list(2, 'struct', elements, (column) =>
    column === null ? writeRootSchema(writer, columns.length) : writeColumnSchema(writer, column),
  );
  writer.i64(
    3,
    groups.reduce((sum, group) => sum + group.rows, 0),
  );
  writer.list(4, 'struct', [...groups.entries()], ([ordinal, group]) => writeRowGroup(writer, columns, group, ordinal));
  const pairs = Object.entries(metadata);
  if (pairs.length > 0) {
    writer.list(5, 'struct', pairs, ([key, value]) => {
      writer.binary(1, key);
      writer.binary(2, value);
    });
  }
  writer.binary(6, 'firn');
  // ColumnOrder: TypeDefinedOrder for each column; without it readers ignore minimum and maximum.
  writer.list(7, 'struct', columns, () => writer.struct(1, () => {}));
  const body = writer.finish();
  const out = new Uint8Array(body.length + 8);
  out.set(body);
  new DataView(out.buffer).setUint32(body.length, body.length, true);
  out.set(magic, body.length + 4);
  return out;
}
