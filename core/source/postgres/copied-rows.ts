import { FirnError } from '../../errors.js';
import type { Kernels } from '../../kernels/kernels.js';
import { type ColumnChunk, type ColumnValues, emptyColumn } from '../../parquet/column-chunk.js';
import { storageWidth } from '../../parquet/physical.js';
import type { RowGroup } from '../../parquet/row-group.js';
import type { Fields, TableDecoder } from './decoder.js';

const messageHeader = 5;
/** The kernels read text by words and may look this far behind its end. */
const slackBytes = 64;
/** What the kernels can allocate at once: a few bytes less than PostgreSQL's longest message. */
const largestBytes = 2 ** 30 - 4 - slackBytes;
/** Room for what is read at once, and a row that was cut in two. */
const readAhead = 1 << 20;
/** For the values of a row group, without text. */
const valueBytes = 16 << 20;
const maxRows = 262_144;
/** Fields found before they are decoded: few enough that they and their bytes are still in the processor's cache. */
const fieldsAtOnce = 16_384;

/**
 * Rows of COPY, decoded as they arrive in the kernels' memory: one row group. Their text lies in an arena, so that the memory in which they
 * come as the server framed them is used again and again, and stays in the processor's cache. Bounded by bytes and by rows; a larger row
 * gets the memory that it needs.
 */
export class CopiedRows implements RowGroup {
  rows = 0;
  /** Bytes `[position, end)` are no whole rows yet. */
  position = 0;
  end = 0;
  #base: number;
  #capacity: number;
  /** Addresses of the fields found last, column by column. */
  readonly #offsets: number;
  readonly #rowsAtOnce: number;
  readonly #maxRows: number;
  readonly columns: readonly ColumnValues[];
  readonly #arena: number;
  /** Columns whose text is made there, not copied. */
  readonly #made: number[];
  /** Of the arena. */
  #textBytes = 0;
  /** Of the rows as they came. */
  #sourceBytes = 0;

  constructor(
    private readonly kernels: Kernels,
    private readonly decoder: TableDecoder,
    private readonly byteLimit: number,
    /** For messages. */
    private readonly table: string,
  ) {
    const widths = decoder.physicals.map(({ storage }) => storageWidth[storage] || 4);
    const rowBytes = widths.reduce((sum, width) => sum + width + 1, 1);
    this.#maxRows = Math.max(1024, Math.min(maxRows, Math.floor(valueBytes / rowBytes))) & ~7;
    this.#rowsAtOnce = Math.max(8, Math.floor(fieldsAtOnce / (widths.length + 1)));
    this.#capacity = readAhead;
    this.#base = kernels.allocate(this.#capacity + slackBytes);
    this.#offsets = kernels.allocate(this.#rowsAtOnce * widths.length * 4);
    this.#made = widths.map((_, i) => i).filter((i) => decoder.makesText(i));
    this.#arena = kernels.run.createArena();
    this.columns = widths.map((width) =>
      emptyColumn(kernels.allocate(this.#maxRows * width + slackBytes), kernels.allocate(this.#maxRows / 8 + slackBytes)),
    );
    this.#clearLevels();
  }

  /** The rows are to be written: enough of them, or the next is so large that it goes into a group of its own. */
  get full(): boolean {
    return (
      this.rows === this.#maxRows ||
      this.#sourceBytes >= this.byteLimit ||
      this.#textBytes >= this.byteLimit ||
      (this.rows > 0 && this.#needed() > this.#usualMost)
    );
  }

  /**
   * Appends as much of the chunk as there is room for, at least a byte unless full or there is a whole row; answers how much.
   * @throws FirnError ValueOutOfRange
   */
  append(chunk: Uint8Array): number {
    const needed = this.#needed();
    if (needed > this.#capacity) this.#resize(Math.max(needed, Math.min(2 * this.#capacity, this.#usualMost)));
    const count = Math.min(chunk.length, this.#capacity - this.end);
    this.kernels.bytes.set(count === chunk.length ? chunk : chunk.subarray(0, count), this.#base + this.end);
    this.end += count;
    return count;
  }

  /** Takes what is no whole row from another one that goes to be written. */
  takeRest(other: CopiedRows): void {
    const rest = other.end - other.position;
    if (rest > this.#capacity) this.#resize(rest);
    this.kernels.bytes.copyWithin(this.#base, other.#base + other.position, other.#base + other.end);
    this.end = rest;
    other.end = other.position;
  }

  /** Decodes the whole rows from `position` on, until the group is full or another message begins. */
  scan(): void {
    while (!this.full && this.#scanSome() > 0);
    if (this.position > 0) this.#rewind();
  }

  /** Uses the memory of the rows that were decoded again. */
  #rewind(): void {
    const { bytes } = this.kernels;
    bytes.copyWithin(this.#base, this.#base + this.position, this.#base + this.end);
    this.end -= this.position;
    this.position = 0;
    // The memory of a large row: its text is in the arena, and is to be copied into a page.
    if (this.#capacity > this.#usualMost) this.#resize(Math.max(this.end, readAhead));
  }

  /** Answers how many rows it found. */
  #scanSome(most = this.#rowsAtOnce): number {
    const { run } = this.kernels;
    run.setScannedRows(0);
    const capacity = Math.min(most, this.#maxRows - this.rows);
    const at = run.scanRows(
      this.#base + this.position,
      this.#base + this.end,
      this.#base + this.position + this.byteLimit - this.#sourceBytes,
      this.#offsets,
      capacity,
      this.decoder.columns,
      this.decoder.widths,
    );
    const found = run.scannedRows.value;
    const made = this.#makeTexts(found, capacity);
    // Too much text: fewer rows.
    if (made === null) return this.#scanSome(found >> 1);
    for (const [i, column] of this.columns.entries()) {
      const text = made.get(i);
      if (text !== undefined) this.decoder.encoder(i).add(column, text);
      else this.decoder.encoder(i).add(column, this.decoder.gather(i, column, this.#fieldsOf(i, found, capacity)), this.#arena);
    }
    const position = (at >>> 0) - this.#base;
    this.#sourceBytes += position - this.position;
    this.position = position;
    this.rows += found;
    this.#textBytes = run.arenaBytes(this.#arena);
    return found;
  }

  /** Values by column. Null: there was no room for the text of all rows. NULLs that were marked are those of rows that come again. */
  #makeTexts(rows: number, capacity: number): Map<number, number> | null {
    const { run } = this.kernels;
    const made = new Map<number, number>();
    run.markArena(this.#arena);
    for (const i of this.#made) {
      made.set(i, this.decoder.gather(i, this.columns[i]!, this.#fieldsOf(i, rows, capacity)));
      if (run.madeRows.value === rows) continue;
      run.returnToMark(this.#arena);
      return null;
    }
    return made;
  }

  /** Fields found last: `rows` of them, where there was room for `capacity`. */
  #fieldsOf(column: number, rows: number, capacity: number): Fields {
    const { byteLimit: budget, startOf } = this;
    return { offsets: this.#offsets + 4 * column * capacity, rows, first: this.rows, arena: this.#arena, budget, startOf };
  }

  /** What is no whole row yet; valid until the next call. */
  get rest(): Uint8Array {
    return this.kernels.bytes.subarray(this.#base + this.position, this.#base + this.end);
  }

  *chunks(): Generator<ColumnChunk> {
    for (const [i, column] of this.columns.entries()) yield this.decoder.encoder(i).encode(column, this.rows);
  }

  clear(): void {
    this.rows = 0;
    this.position = 0;
    this.end = 0;
    this.#sourceBytes = 0;
    this.#textBytes = 0;
    this.kernels.run.clearArena(this.#arena);
    for (const [i, column] of this.columns.entries()) this.decoder.encoder(i).clear(column);
    this.#clearLevels();
  }

  #clearLevels(): void {
    for (const { levels } of this.columns) this.kernels.bytes.fill(0xff, levels, levels + this.#maxRows / 8);
  }

  /** Address of the message of a row that is being decoded, found by going through all before it: for messages to people only. */
  private readonly startOf = (row: number): number => {
    const { view } = this.kernels;
    let at = this.#base + this.position;
    for (let found = this.rows; ; at += 1 + view.getInt32(at + 1)) {
      if (view.getUint8(at) === 0x64 && view.getInt16(at + 5) >= 0 && found++ === row) return at;
    }
  };

  /** Where the row that begins at `position` ends; while its length is not known, room for one more byte. */
  #needed(): number {
    if (this.end - this.position < messageHeader) return this.end + 1;
    return this.position + 1 + this.kernels.view.getInt32(this.#base + this.position + 1);
  }

  /** The memory of rows as they come is not kept beyond this. */
  get #usualMost(): number {
    return this.byteLimit + readAhead;
  }

  #resize(capacity: number): void {
    if (capacity > largestBytes)
      throw new FirnError('ValueOutOfRange', `${this.table}: a row has ${capacity} bytes; at most ${largestBytes} can be read.`);
    const base = this.kernels.allocate(capacity + slackBytes);
    this.kernels.bytes.copyWithin(base, this.#base, this.#base + this.end);
    this.kernels.run.release(this.#base);
    this.#base = base;
    this.#capacity = capacity;
  }
}
