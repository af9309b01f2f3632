import type { ParquetType } from '../column.js';
import { ParquetFile } from '../parquet/file.js';
import type { FileSink } from '../source/sink.js';
import type { ExportColumn } from './casts.js';
import type { ExportConfig } from './schema.js';

/** Snowflake writes no file for a query without rows. The reader shall find one all the same, with the columns and no rows. */
export async function emptyFile({ file_type }: Pick<ExportConfig, 'file_type'>, columns: ExportColumn[]): Promise<Uint8Array> {
  if (file_type === 'json') return new Uint8Array();
  if (file_type === 'csv') {
    const header = columns.map(({ name }) => `"${name.replaceAll('"', '""')}"`);
    return new TextEncoder().encode(`${header.join(',')}\n`);
  }
  const chunks: Uint8Array[] = [];
  const sink: FileSink = {
    name: 'empty',
    write: async (bytes) => void chunks.push(bytes.slice()),
    close: async () => {},
    abort: async () => {},
  };
  const typed = columns.map((column) => ({ name: column.name, type: parquetType(column) }));
  await new ParquetFile(sink, { columns: typed, constants: {}, codec: 'none', metadata: {} }).close();
  return Buffer.concat(chunks);
}

/** As the files with rows have it. */
function parquetType({ type, precision, scale }: ExportColumn): ParquetType {
  switch (type) {
    case 'fixed':
      return { kind: 'decimal', precision: precision ?? 38, scale: scale ?? 0 };
    case 'real':
      return { kind: 'double' };
    case 'boolean':
    case 'date':
    case 'time':
    case 'binary':
      return { kind: type };
    case 'timestamp_ntz':
    case 'timestamp_ltz':
    case 'timestamp_tz':
      return { kind: 'timestamp', utc: false };
    default:
      return { kind: 'string' };
  }
}
