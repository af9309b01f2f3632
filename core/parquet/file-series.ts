import type { FileSink } from '../source/sink.js';
import { columnCompressors, type FileFormat, ParquetFile } from './file.js';
import type { RowGroup } from './row-group.js';

export interface WrittenFile {
  name: string;
  rows: number;
  bytes: number;
}

/** A file ends after so many column chunks at most: what its footer says of them, half a kilobyte each, is in memory until then. */
const maxChunks = 50_000;

/** Opens the sink of the n-th file, from 0. */
export type OpenFile = (part: number) => Promise<FileSink>;

/**
 * Row groups as files of about `fileBytes` each. While one batch is encoded and written, the caller fills the other one.
 * Without a row there is no file.
 */
export class FileSeries<Rows extends RowGroup> {
  readonly files: WrittenFile[] = [];
  #file: ParquetFile | null = null;
  #sink: FileSink | null = null;
  #part = 0;
  /** Writing of the batch before; its failure is thrown by whoever waits for it. */
  #pending: Promise<void> = Promise.resolve();
  #spare: Rows | null = null;

  constructor(
    private readonly format: FileFormat,
    private readonly fileBytes: number,
    private readonly open: OpenFile,
    readonly createBatch: () => Rows,
    private readonly compressors = columnCompressors(format),
  ) {}

  /** Bytes handed to the sinks. */
  get bytes(): number {
    return this.files.reduce((sum, file) => sum + file.bytes, 0) + (this.#file?.bytes ?? 0);
  }

  /** Takes a batch and answers an empty one, which `begin` sees before the batch is written. Waits for the row group before. */
  async push(batch: Rows, begin?: (empty: Rows) => void): Promise<Rows> {
    await this.#pending;
    if (this.#file === null) await this.#openNext();
    const empty = this.#spare ?? this.createBatch();
    this.#spare = null;
    begin?.(empty);
    this.#pending = this.#write(batch);
    this.#pending.catch(() => {});
    return empty;
  }

  /** Writes what is left, closes the last file. */
  async close(last: Rows): Promise<WrittenFile[]> {
    if (last.rows > 0) await this.push(last);
    await this.#pending;
    await this.#closeFile();
    return this.files;
  }

  /** Drops the file that is open. Files already closed stay: nobody knows them until a manifest names them. */
  async abort(): Promise<void> {
    // First: what is being written may wait for requests that only this ends.
    await this.#sink?.abort();
    await this.#pending.catch(() => {});
  }

  async #openNext(): Promise<void> {
    this.#sink = await this.open(this.#part++);
    this.#file = new ParquetFile(this.#sink, this.format, this.compressors);
  }

  async #write(batch: Rows): Promise<void> {
    await this.#file!.writeRowGroup(batch);
    batch.clear();
    this.#spare = batch;
    if (this.#file!.bytes >= this.fileBytes || this.#file!.chunks >= maxChunks) await this.#closeFile();
  }

  async #closeFile(): Promise<void> {
    if (this.#file === null || this.#sink === null) return;
    await this.#file.close();
    this.files.push({ name: this.#sink.name, rows: this.#file.rows, bytes: this.#file.bytes });
    this.#file = null;
    this.#sink = null;
  }
}
