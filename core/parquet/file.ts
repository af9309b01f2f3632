import type { FileSink } from '../source/sink.js';
import { type ColumnChunk, ColumnEncoder, constantChunk } from './column-chunk.js';
import { type Codec, type Compress, codecNumber, compressor } from './compression.js';
import { type ChunkMetadata, footer, magic, pageHeader, type RowGroupMetadata } from './footer.js';
import { physicalOf } from './physical.js';
import type { FileColumn } from './schema.js';
import type { Batch } from './vector.js';

/** What every file of one extraction has in common. */
export interface FileFormat {
  columns: readonly FileColumn[];
  /** String columns that hold one value, after the others. */
  constants: Readonly<Record<string, string>>;
  codec: Codec;
  /** Key-value metadata of the footer. */
  metadata: Readonly<Record<string, string>>;
}

/** One Parquet file that is being written. Row groups go to the sink one after another; nothing is kept but the footer. */
export class ParquetFile {
  rows = 0;
  /** Bytes handed to the sink. */
  bytes = 0;
  readonly #groups: RowGroupMetadata[] = [];
  readonly #encoders: ColumnEncoder[];
  readonly #compress: Compress;

  constructor(
    private readonly sink: FileSink,
    private readonly format: FileFormat,
  ) {
    this.#encoders = format.columns.map(({ type }) => new ColumnEncoder(physicalOf(type)));
    this.#compress = compressor(format.codec);
  }

  /** Encodes at once: the batch may be reused when this returns. The promise is that of compressing and writing. */
  writeRowGroup(batch: Batch): Promise<void> {
    const chunks = [
      ...this.#encoders.map((encoder, i) => encoder.encode(batch.vectors[i]!, batch.rows)),
      ...Object.values(this.format.constants).map((value) => constantChunk(value, batch.rows)),
    ];
    return this.#writeChunks(chunks, batch.rows);
  }

  async close(): Promise<void> {
    if (this.bytes === 0) await this.#write(magic);
    const constants = Object.keys(this.format.constants).map((name): FileColumn => ({ name, type: { kind: 'string' } }));
    await this.#write(footer([...this.format.columns, ...constants], codecNumber[this.format.codec], this.#groups, this.format.metadata));
    await this.sink.close();
  }

  async #writeChunks(chunks: ColumnChunk[], rows: number): Promise<void> {
    const compressed = chunks.map(({ pages }) => Promise.all(pages.map(({ body }) => this.#compress(body))));
    // One failure is reported where it is awaited; the others must not count as unhandled.
    for (const pages of compressed) pages.catch(() => {});
    if (this.bytes === 0) await this.#write(magic);
    const group: RowGroupMetadata = { rows, chunks: [] };
    for (const [i, chunk] of chunks.entries()) group.chunks.push(await this.#writeChunk(chunk, await compressed[i]!));
    this.#groups.push(group);
    this.rows += rows;
  }

  async #writeChunk(chunk: ColumnChunk, compressed: Uint8Array[]): Promise<ChunkMetadata> {
    const metadata: ChunkMetadata = {
      rows: chunk.rows,
      statistics: chunk.statistics,
      dictionaryOffset: null,
      dataOffset: -1,
      compressedBytes: 0,
      uncompressedBytes: 0,
    };
    for (const [i, page] of chunk.pages.entries()) {
      const bytes = compressed[i]!;
      const header = pageHeader(page, bytes.length);
      if (page.kind === 'dictionary') metadata.dictionaryOffset = this.bytes;
      else if (metadata.dataOffset < 0) metadata.dataOffset = this.bytes;
      metadata.compressedBytes += header.length + bytes.length;
      metadata.uncompressedBytes += header.length + page.body.length;
      await this.#write(header);
      await this.#write(bytes);
    }
    return metadata;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.bytes += bytes.length;
    await this.sink.write(bytes);
  }
}
