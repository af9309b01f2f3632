import type { Kernels } from '../kernels/kernels.js';
import { definitionLevels, run, varint } from './levels.js';
import { takePage } from './page-memory.js';
import type { Physical } from './physical.js';
import { storageWidth } from './physical.js';
import { type Statistics, statisticsOf, textStatistics } from './statistics.js';

/** Numbers of the encodings. Source: parquet-format, parquet.thrift, `Encoding`. */
export const encoding = { plain: 0, rle: 3, rleDictionary: 8 } as const;

const pageBytes = 1 << 20;
/** Largest dictionary page; the kernels give up a dictionary beyond it. */
const dictionaryBytes = 1 << 20;

/** A page before compression. */
export interface Page {
  kind: 'dictionary' | 'data';
  /** Dictionary entries, or rows (NULLs included). */
  values: number;
  encoding: number;
  body: Uint8Array;
}

export interface ColumnChunk {
  pages: Page[];
  rows: number;
  statistics: Statistics;
}

/** One column of one row group in the kernels' memory. */
export interface ColumnValues {
  /** Address of the values without NULLs, packed as PLAIN pages want them; of text, the addresses of fields lie there. */
  values: number;
  /** Address of the definition levels: a bit per row. */
  levels: number;
  /** Values. */
  count: number;
  /** State of a dictionary of text; 0 until one is needed. */
  dictionary: number;
  /** Texts lie there as numbers of their dictionary's entries. */
  numbered: boolean;
  /** Addresses of the fields of the least and the greatest text; 0: not known yet. */
  least: number;
  greatest: number;
}

/** An empty column that lies at these addresses. */
export function emptyColumn(values: number, levels: number): ColumnValues {
  return { values, levels, count: 0, dictionary: 0, numbered: false, least: 0, greatest: 0 };
}

/** A dictionary is given up when it does not pay for so many values. */
const sample = 4096;
/** Memory of a dictionary of text, its texts not counted: for as many entries as it may have at all. */
const usualMemory = 1 << 19;

/**
 * Encodes one column, row group after row group. Dictionary encoding is given up for good once it did not pay.
 * `skip`: bytes before each text that do not belong to it. `dictionaryMemory`: a dictionary of text that needs more is given up.
 */
export class ColumnEncoder {
  #dictionary: boolean;

  constructor(
    private readonly kernels: Kernels,
    private readonly physical: Physical,
    private readonly skip = 0,
    private readonly dictionaryMemory = usualMemory,
  ) {
    this.#dictionary = ['w4', 'w8', 'bytes'].includes(physical.storage);
  }

  /** Takes `added` values that have come behind the column's `count`. Texts are copied into the arena; 0: they stay where they are. */
  add(column: ColumnValues, added: number, arena = 0): void {
    const { run } = this.kernels;
    const isText = this.physical.storage === 'bytes';
    if (column.count === 0) column.numbered = this.#dictionary && isText;
    const before = column.count;
    column.count += added;
    if (!isText) return;
    if (!column.numbered) {
      this.#dropDictionary(column);
      this.#settle(column, before, arena);
      return;
    }
    if (column.dictionary === 0) column.dictionary = run.createTextDictionary(this.dictionaryMemory);
    const entered = before + run.enterTexts(column.dictionary, column.values + 4 * before, added, this.skip, arena);
    if (entered === column.count && (column.count < sample || run.textDictionaryPays(column.dictionary, column.count) !== 0)) return;
    this.#leave(column, entered);
    this.#bound(column, column.values, entered);
    this.#settle(column, entered, arena);
  }

  /** The pages own their bytes; who has written a page gives them back by `releasePage`. */
  encode(column: ColumnValues, rows: number): ColumnChunk {
    const nulls = rows - column.count;
    const entries = column.count > 0 ? this.#enter(column) : null;
    if (entries === null) {
      const statistics = this.#statistics(column, column.values, column.count, nulls);
      return { pages: [...this.#plainPages(column, rows)], rows, statistics };
    }
    if (column.numbered) this.#bound(column, entries.at, entries.size);
    const statistics = this.#statistics(column, entries.at, entries.size, nulls);
    return { pages: this.#dictionaryPages(column, entries, rows), rows, statistics };
  }

  /** Makes the column empty. Memory of a dictionary is kept for the next row group, while there are dictionaries. */
  clear(column: ColumnValues): void {
    column.count = 0;
    column.least = 0;
    column.greatest = 0;
    if (!this.#dictionary) this.#dropDictionary(column);
    else if (column.dictionary !== 0) this.kernels.run.clearTextDictionary(column.dictionary);
  }

  /** Makes the column empty and keeps nothing for it. */
  release(column: ColumnValues): void {
    this.clear(column);
    this.#dropDictionary(column);
  }

  #dropDictionary(column: ColumnValues): void {
    if (column.dictionary !== 0) this.kernels.run.releaseTextDictionary(column.dictionary);
    column.dictionary = 0;
  }

  /** Takes the texts from number `from` on as they are, now, while their bytes are at hand. */
  #settle(column: ColumnValues, from: number, arena: number): void {
    const at = column.values + 4 * from;
    const count = column.count - from;
    if (arena !== 0) this.kernels.run.bringNear(at, count, arena);
    this.#bound(column, at, count);
  }

  /** Widens the bounds of texts by those whose fields' addresses are at `at`. */
  #bound(column: ColumnValues, at: number, count: number): void {
    if (this.physical.order !== 'bytes' || count === 0) return;
    this.kernels.run.boundsOfTexts(at, count, this.skip, column.least, column.greatest);
    column.least = this.kernels.address('leastText');
    column.greatest = this.kernels.address('greatestText');
  }

  #statistics(column: ColumnValues, at: number, count: number, nulls: number): Statistics {
    const { order } = this.physical;
    if (order !== 'bytes') return statisticsOf(this.kernels, order, at, count, nulls);
    if (count === 0) return { nulls, minExact: true, maxExact: true };
    return { nulls, ...textStatistics(this.#text(column.least), this.#text(column.greatest)) };
  }

  #text(field: number): Uint8Array {
    const length = this.kernels.view.getUint32(field) - this.skip;
    const at = field + 4 + this.skip;
    return this.kernels.bytes.subarray(at, at + length);
  }

  #leave(column: ColumnValues, numbered: number): void {
    this.kernels.run.leaveTexts(column.dictionary, column.values, numbered);
    this.#dropDictionary(column);
    column.numbered = false;
    this.#dictionary = false;
  }

  /** The dictionary's entries and where the number of each value's is; null: it does not pay. */
  #enter(column: ColumnValues): Entries | null {
    const { run } = this.kernels;
    if (column.numbered) {
      if (run.textDictionaryPays(column.dictionary, column.count) === 0) {
        this.#leave(column, column.count);
        this.#bound(column, column.values, column.count);
      } else {
        const at = run.textDictionaryEntries(column.dictionary) >>> 0;
        return { at, size: run.textDictionarySize(column.dictionary), indices: column.values };
      }
    }
    if (!this.#dictionary || this.physical.storage === 'bytes') return null;
    const size = (this.physical.storage === 'w4' ? run.dictionary4 : run.dictionary8)(column.values, column.count);
    this.#dictionary = size > 0;
    return size > 0 ? { at: this.kernels.address('entries'), size, indices: this.kernels.address('indices') } : null;
  }

  #dictionaryPages(column: ColumnValues, entries: Entries, rows: number): Page[] {
    const { kernels } = this;
    const { count } = column;
    const { size } = entries;
    const levels = this.#levels(column, 0, rows, count);
    const bitWidth = Math.max(1, 32 - Math.clz32(size - 1));
    const dictionary = this.#entries(entries);
    let header = run(0, count, 1);
    let bytes = 0;
    if (size > 1) {
      const groups = (count + 7) >> 3;
      header = varint(groups * 2 + 1);
      bytes = groups * bitWidth;
      kernels.run.reservePage(bytes);
      kernels.run.packIndices(entries.indices, count, bitWidth);
    }
    const body = takePage(levels.length + 1 + header.length + bytes);
    body.set(levels);
    body[levels.length] = bitWidth;
    body.set(header, levels.length + 1);
    body.set(this.#page(bytes), levels.length + 1 + header.length);
    return [
      { kind: 'dictionary', values: size, encoding: encoding.plain, body: dictionary },
      { kind: 'data', values: rows, encoding: encoding.rleDictionary, body },
    ];
  }

  #entries({ at, size }: Entries): Uint8Array {
    const { kernels, physical } = this;
    if (physical.storage !== 'bytes') return owned(kernels.bytes.subarray(at, at + size * storageWidth[physical.storage]));
    kernels.run.reservePage(dictionaryBytes);
    return owned(this.#page(kernels.run.copyTexts(at, size, this.skip)));
  }

  *#plainPages(column: ColumnValues, rows: number): Generator<Page> {
    let value = 0;
    for (let from = 0; from < rows; ) {
      const { data, ...slice } = this.#slice(column, from, rows, value);
      const levels = this.#levels(column, from, from + slice.rows, slice.values);
      const body = takePage(levels.length + data.length);
      body.set(levels);
      body.set(data, levels.length);
      yield { kind: 'data', values: slice.rows, encoding: encoding.plain, body };
      // A value of 16 MiB makes such a page, which is not to be kept.
      if (data.length > 4 * pageBytes) this.kernels.run.releasePage();
      value += slice.values;
      from += slice.rows;
    }
  }

  /** The rows from `from` on that fill one page; `value` values are before them. */
  #slice(column: ColumnValues, from: number, rows: number, value: number): Slice {
    const { kernels, physical } = this;
    const { run } = kernels;
    const { values, levels } = column;
    if (physical.storage === 'bytes') {
      run.sliceTexts(values, levels, from, rows, value, this.skip, pageBytes);
      return { ...this.#sliced(), data: this.#page(run.slicedBytes.value) };
    }
    const width = storageWidth[physical.storage];
    const full = Math.min(rows - from, Math.floor(pageBytes / width));
    if (column.count < rows) run.slicePage(levels, from, rows, width, pageBytes);
    const slice = column.count < rows ? this.#sliced() : { rows: full, values: full };
    if (physical.storage === 'bits') {
      const bytes = (slice.values + 7) >> 3;
      run.reservePage(bytes + 1);
      run.packBooleans(values, value, value + slice.values);
      return { ...slice, data: this.#page(bytes) };
    }
    const at = values + value * width;
    return { ...slice, data: kernels.bytes.subarray(at, at + slice.values * width) };
  }

  /** What the kernels have found. */
  #sliced(): Omit<Slice, 'data'> {
    const { slicedRows, slicedValues } = this.kernels.run;
    return { rows: slicedRows.value, values: slicedValues.value };
  }

  #page(bytes: number): Uint8Array {
    const at = this.kernels.address('page');
    return this.kernels.bytes.subarray(at, at + bytes);
  }

  #levels({ levels }: ColumnValues, from: number, to: number, values: number): Uint8Array {
    return definitionLevels(this.kernels.bytes.subarray(levels + (from >> 3), levels + ((to + 7) >> 3)), to - from, values);
  }
}

interface Entries {
  /** Address of the entries. */
  at: number;
  size: number;
  /** Address of the number of each value's entry. */
  indices: number;
}

interface Slice {
  rows: number;
  values: number;
  /** The values as PLAIN has them, in the kernels' memory: until something is allocated there. */
  data: Uint8Array;
}

function owned(bytes: Uint8Array): Uint8Array {
  const body = takePage(bytes.length);
  body.set(bytes);
  return body;
}

/** A string column that holds the same value in every row. */
export function constantChunk(value: string, rows: number): ColumnChunk {
  const text = Buffer.from(value, 'utf8');
  const entries = new Uint8Array(4 + text.length);
  new DataView(entries.buffer).setUint32(0, text.length, true);
  entries.set(text, 4);
  const levels = definitionLevels(new Uint8Array(0), rows, rows);
  const body = Uint8Array.from([...levels, 1, ...run(0, rows, 1)]);
  return {
    pages: [
      { kind: 'dictionary', values: 1, encoding: encoding.plain, body: entries },
      { kind: 'data', values: rows, encoding: encoding.rleDictionary, body },
    ],
    rows,
    statistics: { nulls: 0, ...textStatistics(text, text) },
  };
}
