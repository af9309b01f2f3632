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

/**
 * Encodes one column, row group after row group, from where the kernels have put its values. Dictionary encoding is given up for good once
 * it did not pay. `skip`: bytes before each text that do not belong to it.
 */
export class ColumnEncoder {
  #dictionary: boolean;

  constructor(
    private readonly kernels: Kernels,
    private readonly physical: Physical,
    private readonly skip = 0,
  ) {
    this.#dictionary = ['w4', 'w8', 'bytes'].includes(physical.storage);
  }

  /** `count` of the rows are not NULL. The pages own their bytes; who has written a page gives them back by `releasePage`. */
  encode(rows: number, count: number): ColumnChunk {
    const nulls = rows - count;
    if (this.#dictionary && count > 0) {
      const size = this.#enter(count);
      if (size > 0) {
        const statistics = statisticsOf(this.kernels, this.physical.order, this.kernels.address('entries'), size, this.skip, nulls);
        return { pages: this.#dictionaryPages(size, rows, count), rows, statistics };
      }
      this.#dictionary = false;
    }
    const statistics = statisticsOf(this.kernels, this.physical.order, this.kernels.address('values'), count, this.skip, nulls);
    return { pages: [...this.#plainPages(rows, count)], rows, statistics };
  }

  /** Number of dictionary entries; 0: it does not pay. */
  #enter(count: number): number {
    const { run } = this.kernels;
    if (this.physical.storage === 'bytes') return run.dictionaryOfTexts(count, this.skip);
    return this.physical.storage === 'w4' ? run.dictionary4(count) : run.dictionary8(count);
  }

  #dictionaryPages(size: number, rows: number, count: number): Page[] {
    const { kernels } = this;
    const levels = this.#levels(0, rows, count);
    const bitWidth = Math.max(1, 32 - Math.clz32(size - 1));
    const entries = this.#entries(size);
    let header = run(0, count, 1);
    let indices = 0;
    if (size > 1) {
      const groups = (count + 7) >> 3;
      header = varint(groups * 2 + 1);
      indices = groups * bitWidth;
      kernels.run.reservePage(indices);
      kernels.run.packIndices(count, bitWidth);
    }
    const body = takePage(levels.length + 1 + header.length + indices);
    body.set(levels);
    body[levels.length] = bitWidth;
    body.set(header, levels.length + 1);
    body.set(this.#page(indices), levels.length + 1 + header.length);
    return [
      { kind: 'dictionary', values: size, encoding: encoding.plain, body: entries },
      { kind: 'data', values: rows, encoding: encoding.rleDictionary, body },
    ];
  }

  #entries(size: number): Uint8Array {
    const { kernels, physical } = this;
    const at = kernels.address('entries');
    if (physical.storage !== 'bytes') return owned(kernels.bytes.subarray(at, at + size * storageWidth[physical.storage]));
    kernels.run.reservePage(dictionaryBytes);
    return owned(this.#page(kernels.run.copyTexts(at, size, this.skip)));
  }

  *#plainPages(rows: number, count: number): Generator<Page> {
    const { run } = this.kernels;
    let value = 0;
    for (let from = 0; from < rows; ) {
      const slice = this.#slice(from, rows, value, rows === count);
      const levels = this.#levels(from, from + slice.rows, slice.values);
      const data = this.#plain(value, slice);
      const body = takePage(levels.length + data.length);
      body.set(levels);
      body.set(data, levels.length);
      yield { kind: 'data', values: slice.rows, encoding: encoding.plain, body };
      value += slice.values;
      from += slice.rows;
    }
    // A page takes 16 MiB when a value does: not to be kept.
    if (this.physical.storage === 'bytes') run.reservePage(pageBytes);
  }

  /** The rows from `from` on that fill one page. */
  #slice(from: number, rows: number, value: number, full: boolean): Slice {
    const { run } = this.kernels;
    const width = storageWidth[this.physical.storage];
    if (full && width > 0) {
      const here = Math.min(rows - from, Math.floor(pageBytes / width));
      return { rows: here, values: here, bytes: here * width };
    }
    run.slicePage(from, rows, value, width, this.skip, pageBytes);
    return { rows: run.slicedRows.value, values: run.slicedValues.value, bytes: run.slicedBytes.value };
  }

  #plain(value: number, slice: Slice): Uint8Array {
    const { kernels, physical } = this;
    if (physical.storage === 'bits') {
      const bytes = (slice.values + 7) >> 3;
      kernels.run.reservePage(bytes + 1);
      kernels.run.packBooleans(value, value + slice.values);
      return this.#page(bytes);
    }
    if (physical.storage === 'bytes') {
      kernels.run.reservePage(slice.bytes);
      kernels.run.copyTexts(kernels.address('values') + 4 * value, slice.values, this.skip);
      return this.#page(slice.bytes);
    }
    const at = kernels.address('values') + value * storageWidth[physical.storage];
    return kernels.bytes.subarray(at, at + slice.bytes);
  }

  #page(bytes: number): Uint8Array {
    const at = this.kernels.address('page');
    return this.kernels.bytes.subarray(at, at + bytes);
  }

  #levels(from: number, to: number, values: number): Uint8Array {
    const at = this.kernels.address('bitmap');
    return definitionLevels(this.kernels.bytes.subarray(at + (from >> 3), at + ((to + 7) >> 3)), to - from, values);
  }
}

interface Slice {
  rows: number;
  values: number;
  /** Of the values. */
  bytes: number;
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
