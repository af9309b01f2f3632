import { indices, reserveIndices } from './scratch';

/** The distinct values of a column of fixed width in order of appearance, found by an open-addressing hash table. */

const maxEntries: u32 = 32768;
const mask: u32 = 2 * maxEntries - 1;
/** A sample this long decides first, so that a column of unique values costs little. */
const sample: u32 = 4096;
/** Above this share of distinct values a dictionary does not pay. */
const maxDistinct: f64 = 0.6;

/** Entry + 1 per slot, 16 bits; 0: free. */
const table: usize = heap.alloc((mask + 1) << 1);
/** Values of the entries, packed as PLAIN pages want them. */
export const entries: usize = heap.alloc(maxEntries << 3);

@inline
export function pays(size: u32, count: u32): bool {
  return size <= max<u32>(16, <u32>(<f64>count * maxDistinct));
}

/** Fills `indices` and `entries` from `count` values of 4 bytes; answers the number of entries, 0: a dictionary does not pay. */
export function dictionary4(values: usize, count: u32): u32 {
  reserveIndices(count);
  memory.fill(table, 0, (mask + 1) << 1);
  let size: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (i === sample && !pays(size, sample)) return 0;
    const value = load<u32>(values + (<usize>i << 2));
    let slot = value * 0x9e3779b1;
    slot = (slot ^ (slot >>> 15)) & mask;
    let entry = <u32>load<u16>(table + (<usize>slot << 1));
    while (entry !== 0 && load<u32>(entries + (<usize>(entry - 1) << 2)) !== value) {
      slot = (slot + 1) & mask;
      entry = <u32>load<u16>(table + (<usize>slot << 1));
    }
    if (entry === 0) {
      if (size === maxEntries) return 0;
      store<u32>(entries + (<usize>size << 2), value);
      entry = ++size;
      store<u16>(table + (<usize>slot << 1), <u16>entry);
    }
    store<u32>(indices + (<usize>i << 2), entry - 1);
  }
  return pays(size, count) ? size : 0;
}

/** The same for values of 8 bytes. */
export function dictionary8(values: usize, count: u32): u32 {
  reserveIndices(count);
  memory.fill(table, 0, (mask + 1) << 1);
  let size: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (i === sample && !pays(size, sample)) return 0;
    const value = load<u64>(values + (<usize>i << 3));
    const mixed = value * 0x9e3779b97f4a7c15;
    let slot = <u32>(mixed >> 40) & mask;
    let entry = <u32>load<u16>(table + (<usize>slot << 1));
    while (entry !== 0 && load<u64>(entries + (<usize>(entry - 1) << 3)) !== value) {
      slot = (slot + 1) & mask;
      entry = <u32>load<u16>(table + (<usize>slot << 1));
    }
    if (entry === 0) {
      if (size === maxEntries) return 0;
      store<u64>(entries + (<usize>size << 3), value);
      entry = ++size;
      store<u16>(table + (<usize>slot << 1), <u16>entry);
    }
    store<u32>(indices + (<usize>i << 2), entry - 1);
  }
  return pays(size, count) ? size : 0;
}
