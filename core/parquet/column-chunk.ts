import { Dictionary } from './dictionary.js';
import { definitionLevels, packed, run } from './levels.js';
import { takePage } from './page-memory.js';
import type { Physical } from './physical.js';
import { storageWidth } from './physical.js';
import { type Statistics, statisticsOf } from './statistics.js';
import type { Vector } from './vector.js';

/** Numbers of the encodings. Source: parquet-format, parquet.thrift, `Encoding`. */
export const encoding = { plain: 0, rle: 3, rleDictionary: 8 } as const;

const pageBytes = 1 << 20;

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

/** Encodes one column, row group after row group. Dictionary encoding is given up for the file once it did not pay. */
export class ColumnEncoder {
  #dictionary: Dictionary | null;

  constructor(private readonly physical: Physical) {
    const { storage } = physical;
    this.#dictionary = storage === 'w4' || storage === 'w8' || storage === 'bytes' ? new Dictionary(storage) : null;
  }

  /** The pages own their bytes: the vector may be reused at once. Who has written a page gives them back by `releasePage`. */
  encode(vector: Vector, rows: number): ColumnChunk {
    if (vector.count > 0 && this.#dictionary !== null) {
      if (this.#dictionary.build(vector)) return this.#dictionaryChunk(this.#dictionary, vector, rows);
      this.#dictionary = null;
    }
    const statistics = statisticsOf(vector, this.physical.order, vector.nulls);
    return { pages: plainPages(vector, rows), rows, statistics };
  }

  #dictionaryChunk(dictionary: Dictionary, vector: Vector, rows: number): ColumnChunk {
    const entries = dictionary.entries();
    const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
    const { storage, order } = this.physical;
    const statistics = statisticsOf({ storage, count: dictionary.size, bytes: entries, view }, order, vector.nulls);
    const levels = definitionLevels(vector.levels, 0, rows, vector.count);
    const bitWidth = Math.max(1, 32 - Math.clz32(dictionary.size - 1));
    const indices = dictionary.size === 1 ? run(0, vector.count, 1) : packed(dictionary.index, 0, vector.count, bitWidth);
    return { pages: dictionaryPages(entries, dictionary.size, levels, bitWidth, indices, rows), rows, statistics };
  }
}

function dictionaryPages(
  entries: Uint8Array,
  size: number,
  levels: Uint8Array,
  bitWidth: number,
  indices: Uint8Array,
  rows: number,
): Page[] {
  const body = takePage(levels.length + 1 + indices.length);
  body.set(levels);
  body[levels.length] = bitWidth;
  body.set(indices, levels.length + 1);
  return [
    { kind: 'dictionary', values: size, encoding: encoding.plain, body: entries },
    { kind: 'data', values: rows, encoding: encoding.rleDictionary, body },
  ];
}

/** A string column that holds the same value in every row, without a vector. */
export function constantChunk(value: string, rows: number): ColumnChunk {
  const text = Buffer.from(value, 'utf8');
  const entries = new Uint8Array(4 + text.length);
  const view = new DataView(entries.buffer);
  view.setUint32(0, text.length, true);
  entries.set(text, 4);
  const levels = definitionLevels(new Uint8Array(0), 0, rows, rows);
  return {
    pages: dictionaryPages(entries, 1, levels, 1, run(0, rows, 1), rows),
    rows,
    statistics: statisticsOf({ storage: 'bytes', count: 1, bytes: entries, view }, 'bytes', 0),
  };
}

function plainPages(vector: Vector, rows: number): Page[] {
  const pages: Page[] = [];
  let value = 0;
  let byte = 0;
  for (let from = 0; from < rows; ) {
    const slice = nextSlice(vector, rows, from, byte);
    const levels = definitionLevels(vector.levels, from, slice.to, slice.values);
    const data =
      vector.storage === 'bits' ? packBits(vector.bytes, value, value + slice.values) : vector.bytes.subarray(byte, byte + slice.bytes);
    const body = takePage(levels.length + data.length);
    body.set(levels);
    body.set(data, levels.length);
    pages.push({ kind: 'data', values: slice.to - from, encoding: encoding.plain, body });
    value += slice.values;
    byte += slice.bytes;
    from = slice.to;
  }
  return pages;
}

/** The rows from `from` on that fill one page, with the number and bytes of their values. */
function nextSlice(vector: Vector, rows: number, from: number, byte: number): { to: number; values: number; bytes: number } {
  const { storage, levels, view, nulls } = vector;
  const width = storageWidth[storage];
  if (storage !== 'bytes' && nulls === 0) {
    const to = Math.min(rows, from + Math.floor(pageBytes / width));
    return { to, values: to - from, bytes: (to - from) * width };
  }
  let to = from;
  let values = 0;
  let bytes = 0;
  while (to < rows && bytes < pageBytes) {
    if (levels[to] === 1) {
      bytes += width === 0 ? 4 + view.getInt32(byte + bytes, true) : width;
      values++;
    }
    to++;
  }
  return { to, values, bytes };
}

function packBits(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const out = new Uint8Array((to - from + 7) >> 3);
  for (let i = from; i < to; i++) if (bytes[i] === 1) out[(i - from) >> 3]! |= 1 << ((i - from) & 7);
  return out;
}
