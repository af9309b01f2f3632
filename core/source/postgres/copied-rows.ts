import type { Kernels } from '../../kernels/kernels.js';
import type { ColumnChunk } from '../../parquet/column-chunk.js';
import type { RowGroup } from '../../parquet/row-group.js';
import type { TableDecoder } from './decoder.js';

const messageHeader = 5;
/** The kernels read text by words and may look this far behind its end. */
const slackBytes = 64;
/** Room behind the limit for what was read with the last row. */
const readAhead = 1 << 20;
/** For the addresses of all fields of a row group. */
const offsetBytes = 8 << 20;
const maxRows = 262_144;

/**
 * Rows of COPY as the server framed them, in the kernels' memory: one row group. They stay as they came; `scan` notes where each field is,
 * and each column is decoded when it is encoded. Bounded by bytes and by rows; a larger row gets the memory that it needs.
 */
export class CopiedRows implements RowGroup {
  rows = 0;
  /** Bytes `[position, end)` are no whole rows yet. */
  position = 0;
  end = 0;
  #base: number;
  #capacity: number;
  readonly #offsets: number;
  readonly #maxRows: number;
  /** Where the first row's message begins, relative to the base. */
  #first = 0;

  constructor(
    private readonly kernels: Kernels,
    private readonly decoder: TableDecoder,
    private readonly byteLimit: number,
  ) {
    const columns = Math.max(1, decoder.columns);
    this.#maxRows = Math.max(1024, Math.min(maxRows, Math.floor(offsetBytes / 4 / columns))) & ~7;
    this.#capacity = byteLimit + readAhead;
    this.#base = kernels.allocate(this.#capacity + slackBytes);
    this.#offsets = kernels.allocate(this.#maxRows * columns * 4);
  }

  get full(): boolean {
    return this.rows === this.#maxRows || this.position - this.#first >= this.byteLimit;
  }

  /** Appends as much of the chunk as there is room for, at least a byte; answers how much. */
  append(chunk: Uint8Array): number {
    this.#makeRoom();
    const count = Math.min(chunk.length, this.#capacity - this.end);
    this.kernels.bytes.set(count === chunk.length ? chunk : chunk.subarray(0, count), this.#base + this.end);
    this.end += count;
    return count;
  }

  /** Takes what is no whole row from another one that goes to be written. */
  takeRest(other: CopiedRows): void {
    const { bytes } = this.kernels;
    const rest = other.end - other.position;
    if (rest > this.#capacity) this.#grow(rest);
    bytes.copyWithin(this.#base, other.#base + other.position, other.#base + other.end);
    this.end = rest;
    other.end = other.position;
  }

  /** Finds the whole rows from `position` on, until the group is full or another message begins. */
  scan(): void {
    if (this.rows === 0) this.#first = this.position;
    const { run } = this.kernels;
    run.setScannedRows(this.rows);
    const at = run.scanRows(
      this.#base + this.position,
      this.#base + this.end,
      this.#base + this.#first + this.byteLimit,
      this.#offsets,
      this.#maxRows,
      this.decoder.columns,
      this.decoder.widths,
    );
    this.position = (at >>> 0) - this.#base;
    this.rows = run.scannedRows.value;
  }

  /** What is no whole row yet; valid until the next call. */
  get rest(): Uint8Array {
    return this.kernels.bytes.subarray(this.#base + this.position, this.#base + this.end);
  }

  *chunks(): Generator<ColumnChunk> {
    for (let column = 0; column < this.decoder.columns; column++) {
      const offsets = this.#offsets + 4 * column * this.#maxRows;
      yield this.decoder.encode(column, offsets, this.rows, (row) => this.#startOf(row));
    }
  }

  clear(): void {
    this.rows = 0;
    this.position = 0;
    this.end = 0;
    this.#first = 0;
    const usual = this.byteLimit + readAhead;
    if (this.#capacity > usual) this.#replace(this.kernels.allocate(usual + slackBytes), usual);
  }

  /** Address of a row's message, found by going through all before it: for messages to people only. */
  #startOf(row: number): number {
    const { view } = this.kernels;
    let at = this.#base + this.#first;
    for (let found = 0; ; at += 1 + view.getInt32(at + 1)) {
      if (view.getUint8(at) === 0x64 && view.getInt16(at + 5) >= 0 && found++ === row) return at;
    }
  }

  /** For one more byte, and for the whole of the row that begins at `position`. */
  #makeRoom(): void {
    const rest = this.end - this.position;
    const row = rest >= messageHeader ? 1 + this.kernels.view.getInt32(this.#base + this.position + 1) : 0;
    if (this.position + row > this.#capacity) this.#grow(this.position + row);
    else if (this.end === this.#capacity) this.#grow(this.#capacity + readAhead);
  }

  #grow(capacity: number): void {
    const base = this.kernels.allocate(capacity + slackBytes);
    this.kernels.bytes.copyWithin(base, this.#base, this.#base + this.end);
    this.#replace(base, capacity);
  }

  #replace(base: number, capacity: number): void {
    this.kernels.run.release(this.#base);
    this.#base = base;
    this.#capacity = capacity;
  }
}
