import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FileSink } from '../source/sink.js';
import { type ColumnChunk, constantChunk } from './column-chunk.js';
import { ColumnCompressor } from './column-compressor.js';
import { type Codec, codecNumber, compressor } from './compression.js';
import { type ChunkMetadata, footer, magic, pageHeader, type RowGroupMetadata } from './footer.js';
import { releasePage } from './page-memory.js';
import type { RowGroup } from './row-group.js';
import type { FileColumn } from './schema.js';

/** Columns whose pages are in memory while the first of them is compressed. */
const columnsAhead = 1;

interface Compressed {
  chunk: ColumnChunk;
  /** Null: the pages are to be written as they are. */
  frames: Promise<Uint8Array[] | null>;
}

/** What every file of one extraction has in common. */
export interface FileFormat {
  columns: readonly FileColumn[];
  /** String columns that hold one value, after the others. */
  constants: Readonly<Record<string, string>>;
  codec: Codec;
  /** Key-value metadata of the footer. */
  metadata: Readonly<Record<string, string>>;
}

/** One for each column; files of one extraction share them, so that what they found out is not lost. None without a codec. */
export function columnCompressors({ columns, constants, codec }: FileFormat): ColumnCompressor[] {
  const compress = compressor(codec);
  const places = compress === null ? 0 : columns.length + Object.keys(constants).length;
  return Array.from({ length: places }, () => new ColumnCompressor(compress!));
}

/** One Parquet file that is being written. Row groups go to the sink one after another; nothing is kept but the footer. */
export class ParquetFile {
  rows = 0;
  /** Bytes handed to the sink. */
  bytes = 0;
  /** Column chunks written. */
  chunks = 0;
  readonly #groups: RowGroupMetadata[] = [];

  constructor(
    private readonly sink: FileSink,
    private readonly format: FileFormat,
    private readonly compressors = columnCompressors(format),
  ) {}

  /**
   * The rows must stay as they are until the promise resolves. One column is encoded per turn of the event loop, so that reading from the
   * source goes on in between; compressing has threads of its own.
   */
  async writeRowGroup(rows: RowGroup): Promise<void> {
    if (this.bytes === 0) await this.#write(magic);
    const group: RowGroupMetadata = { rows: rows.rows, chunks: [] };
    const waiting: Compressed[] = [];
    const writeFirst = async (): Promise<void> => {
      group.chunks.push(await this.#writeChunk(waiting.shift()!));
    };
    for (const chunk of this.#chunks(rows)) {
      waiting.push(this.#compressed(chunk, group.chunks.length + waiting.length));
      await nextTurn();
      if (waiting.length > columnsAhead) await writeFirst();
    }
    while (waiting.length > 0) await writeFirst();
    this.#groups.push(group);
    this.chunks += group.chunks.length;
    this.rows += rows.rows;
  }

  async close(): Promise<void> {
    if (this.bytes === 0) await this.#write(magic);
    const constants = Object.keys(this.format.constants).map((name): FileColumn => ({ name, type: { kind: 'string' } }));
    await this.#write(footer([...this.format.columns, ...constants], this.#groups, this.format.metadata));
    await this.sink.close();
  }

  *#chunks(rows: RowGroup): Generator<ColumnChunk> {
    yield* rows.chunks();
    for (const value of Object.values(this.format.constants)) yield constantChunk(value, rows.rows);
  }

  #compressed(chunk: ColumnChunk, column: number): Compressed {
    const frames = Promise.resolve(this.compressors[column]?.compress(chunk.pages.map(({ body }) => body)) ?? null);
    // A failure is reported where it is awaited; until then it must not count as unhandled.
    frames.catch(() => {});
    return { chunk, frames };
  }

  async #writeChunk(compressed: Compressed): Promise<ChunkMetadata> {
    const { chunk } = compressed;
    const frames = await compressed.frames;
    const metadata: ChunkMetadata = {
      rows: chunk.rows,
      codec: codecNumber[frames === null ? 'none' : this.format.codec],
      statistics: chunk.statistics,
      dictionaryOffset: null,
      dataOffset: -1,
      compressedBytes: 0,
      uncompressedBytes: 0,
    };
    for (const [i, page] of chunk.pages.entries()) {
      const bytes = frames?.[i] ?? page.body;
      const header = pageHeader(page, bytes.length);
      if (page.kind === 'dictionary') metadata.dictionaryOffset = this.bytes;
      else if (metadata.dataOffset < 0) metadata.dataOffset = this.bytes;
      metadata.compressedBytes += header.length + bytes.length;
      metadata.uncompressedBytes += header.length + page.body.length;
      await this.#write(header);
      await this.#write(bytes);
    }
    for (const { body } of chunk.pages) releasePage(body);
    frames?.forEach(releasePage);
    return metadata;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.bytes += bytes.length;
    await this.sink.write(bytes);
  }
}
