import type { Storage } from './physical.js';
import type { Vector } from './vector.js';

const maxEntries = 32_768;
const maxBytes = 1 << 20;
/** A sample this long decides first, so that a column of unique values costs little. */
const sampleSize = 4096;
/** Above this share of distinct values a dictionary does not pay. */
const maxDistinct = 0.6;

/** Shared by all columns: encoding a column is synchronous, and its indices are packed before the next one begins. */
let indexMemory = new Int32Array(0);

/** The distinct values of a column in order of appearance, found by an open-addressing hash table without a JS object per value. */
export class Dictionary {
  size = 0;
  /** `index[i]`: entry of value i. Valid until another dictionary is built. */
  index = indexMemory;
  /** Entry + 1 per slot; 0: free. */
  #table = new Int32Array(maxEntries * 2);
  #mask = this.#table.length - 1;
  /** Low word, or offset into `#bytes`. */
  #low = new Int32Array(maxEntries);
  /** High word, or hash. */
  #high = new Int32Array(maxEntries);
  /** Entries of `bytes`, each behind its length. */
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor(private readonly storage: Extract<Storage, 'w4' | 'w8' | 'bytes'>) {}

  /** True when all values of the vector were entered and few enough are distinct. */
  build(vector: Vector): boolean {
    if (indexMemory.length < vector.count) indexMemory = new Int32Array(vector.count + (vector.count >> 2));
    this.index = indexMemory;
    if (vector.count > sampleSize) {
      this.#clear();
      if (!this.#enter(vector, sampleSize) || this.size > sampleSize * maxDistinct) return false;
    }
    this.#clear();
    return this.#enter(vector, vector.count) && this.size <= Math.max(16, vector.count * maxDistinct);
  }

  /** The entries as the body of a PLAIN dictionary page. */
  entries(): Uint8Array {
    if (this.storage === 'bytes') return this.#bytes.slice(0, this.#length);
    if (this.storage === 'w4') return new Uint8Array(this.#low.slice(0, this.size).buffer);
    const words = new Int32Array(this.size * 2);
    for (let i = 0; i < this.size; i++) {
      words[2 * i] = this.#low[i]!;
      words[2 * i + 1] = this.#high[i]!;
    }
    return new Uint8Array(words.buffer);
  }

  #clear(): void {
    if (this.size > 0) this.#table.fill(0);
    this.size = 0;
    this.#length = 0;
  }

  #enter(vector: Vector, count: number): boolean {
    if (this.storage === 'bytes') return this.#enterBytes(vector, count);
    return this.storage === 'w4' ? this.#enterWords(vector.words, count) : this.#enterPairs(vector.words, count);
  }

  #enterWords(words: Int32Array, count: number): boolean {
    const table = this.#table;
    const mask = this.#mask;
    const low = this.#low;
    const index = this.index;
    let size = this.size;
    for (let i = 0; i < count; i++) {
      const word = words[i]!;
      let slot = Math.imul(word, 0x9e3779b1);
      slot = (slot ^ (slot >>> 15)) & mask;
      let entry = table[slot]!;
      while (entry !== 0 && low[entry - 1] !== word) {
        slot = (slot + 1) & mask;
        entry = table[slot]!;
      }
      if (entry === 0) {
        if (size === maxEntries) return false;
        low[size] = word;
        entry = table[slot] = ++size;
        this.size = size;
      }
      index[i] = entry - 1;
    }
    return true;
  }

  #enterPairs(words: Int32Array, count: number): boolean {
    const table = this.#table;
    const mask = this.#mask;
    const low = this.#low;
    const high = this.#high;
    const index = this.index;
    let size = this.size;
    for (let i = 0; i < count; i++) {
      const a = words[2 * i]!;
      const b = words[2 * i + 1]!;
      let slot = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77);
      slot = (slot ^ (slot >>> 15)) & mask;
      let entry = table[slot]!;
      while (entry !== 0 && (low[entry - 1] !== a || high[entry - 1] !== b)) {
        slot = (slot + 1) & mask;
        entry = table[slot]!;
      }
      if (entry === 0) {
        if (size === maxEntries) return false;
        low[size] = a;
        high[size] = b;
        entry = table[slot] = ++size;
        this.size = size;
      }
      index[i] = entry - 1;
    }
    return true;
  }

  #enterBytes({ bytes, view }: Vector, count: number): boolean {
    const table = this.#table;
    const mask = this.#mask;
    const offsets = this.#low;
    const hashes = this.#high;
    const index = this.index;
    let at = 0;
    for (let i = 0; i < count; i++) {
      const length = view.getInt32(at, true);
      const start = at + 4;
      const end = start + length;
      let hash = length;
      let p = start;
      for (; p + 4 <= end; p += 4) hash = Math.imul(hash ^ view.getInt32(p, true), 0x9e3779b1) ^ (hash >>> 13);
      for (; p < end; p++) hash = Math.imul(hash ^ bytes[p]!, 0x01000193);
      hash ^= hash >>> 15;
      let slot = hash & mask;
      let entry = table[slot]!;
      while (entry !== 0 && (hashes[entry - 1] !== hash || !this.#same(offsets[entry - 1]!, bytes, view, at, length + 4))) {
        slot = (slot + 1) & mask;
        entry = table[slot]!;
      }
      if (entry === 0) {
        if (this.size === maxEntries || this.#length + length + 4 > maxBytes) return false;
        offsets[this.size] = this.#length;
        hashes[this.size] = hash;
        this.#append(bytes, at, length + 4);
        entry = table[slot] = ++this.size;
      }
      index[i] = entry - 1;
      at = end;
    }
    return true;
  }

  /** Compares by words: both begin with the length, so neither ends before the other. */
  #same(offset: number, bytes: Uint8Array, view: DataView, at: number, length: number): boolean {
    const mine = this.#view;
    let i = 0;
    for (; i + 4 <= length; i += 4) if (mine.getInt32(offset + i) !== view.getInt32(at + i)) return false;
    for (; i < length; i++) if (this.#bytes[offset + i] !== bytes[at + i]) return false;
    return true;
  }

  #append(bytes: Uint8Array, at: number, length: number): void {
    if (this.#length + length > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(maxBytes, Math.max(this.#bytes.length * 2, this.#length + length)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    const mine = this.#bytes;
    for (let i = 0; i < length; i++) mine[this.#length + i] = bytes[at + i]!;
    this.#length += length;
  }
}
