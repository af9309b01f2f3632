import { pays } from './dictionary';
import { enterArena, leaveArena, madeField } from './made-text';
import { copyNear } from './near-text';
import { hashOf, lengthOf, same, startOf } from './text';

/**
 * The distinct texts of a column, entered as they arrive: later their bytes would have left the processor's cache. The memory of a
 * dictionary grows with its entries and has a bound, since there may be a thousand columns.
 */

/** Slots have 16 bits for the number of an entry. */
const maxEntries: u32 = 32768;
const maxBytes: u32 = 1 << 20;
const initialEntries: u32 = 64;
const bytesPerEntry: u32 = 12;

// Fields of a dictionary's state.
const sizeAt: usize = 0;
const bytesAt: usize = 4;
const capacityAt: usize = 8;
/** Of each entry the address of its field; behind them two slots for each: entry + 1 and, above that, its tag; 0 is free. */
const memoryAt: usize = 12;
/** The largest capacity. */
const mostAt: usize = 16;
const stateBytes: usize = 20;

/** It is full when its memory would grow beyond `bytes`, its texts not counted. */
export function createTextDictionary(bytes: u32): usize {
  const state = heap.alloc(stateBytes);
  const most = <u32>1 << (31 - clz(bytes / bytesPerEntry | 1));
  store<u32>(state, min(max(most, initialEntries), maxEntries), mostAt);
  store<u32>(state, initialEntries, capacityAt);
  store<u32>(state, <u32>heap.alloc(initialEntries * bytesPerEntry), memoryAt);
  clearTextDictionary(state);
  return state;
}

export function clearTextDictionary(state: usize): void {
  const capacity = load<u32>(state, capacityAt);
  store<u32>(state, 0, sizeAt);
  store<u32>(state, 0, bytesAt);
  memory.fill(<usize>load<u32>(state, memoryAt) + (<usize>capacity << 2), 0, <usize>capacity << 3);
}

export function releaseTextDictionary(state: usize): void {
  heap.free(<usize>load<u32>(state, memoryAt));
  heap.free(state);
}

export function textDictionarySize(state: usize): u32 {
  return load<u32>(state, sizeAt);
}

/** Addresses of the entries' fields. */
export function textDictionaryEntries(state: usize): usize {
  return <usize>load<u32>(state, memoryAt);
}

/** Whether it pays for `count` values. */
export function textDictionaryPays(state: usize, count: u32): bool {
  return pays(load<u32>(state, sizeAt), count);
}

/**
 * Replaces the addresses of `count` fields at `values` by the numbers of their entries. Answers how many it did: fewer when it is full. The
 * entries are copied into the arena; 0: they stay where they are.
 */
export function enterTexts(state: usize, values: usize, count: u32, skip: u32, arena: usize): u32 {
  let size = load<u32>(state, sizeAt);
  let bytes = load<u32>(state, bytesAt);
  const most = load<u32>(state, mostAt);
  let capacity = load<u32>(state, capacityAt);
  let entries = <usize>load<u32>(state, memoryAt);
  let table = entries + (<usize>capacity << 2);
  let mask = 2 * capacity - 1;
  let i: u32 = 0;
  for (; i < count; i++) {
    const place = values + (<usize>i << 2);
    const field = <usize>load<u32>(place);
    const lengthWord = load<u32>(field);
    const length = bswap<u32>(lengthWord) - skip;
    const hash = hashOf(field + 4 + skip, length);
    const tag = tagOf(hash);
    let slot = firstSlot(hash, mask);
    let found = load<u32>(table + (<usize>slot << 2));
    while (found !== 0) {
      if ((found ^ tag) < 0x10000) {
        const other = <usize>load<u32>(entries + (<usize>((found & 0xffff) - 1) << 2));
        if (load<u32>(other) === lengthWord && same(other + 4 + skip, field + 4 + skip, length)) break;
      }
      slot = (slot + 1) & mask;
      found = load<u32>(table + (<usize>slot << 2));
    }
    if (found === 0) {
      if (size === most || bytes + 4 + length > maxBytes) break;
      if (size === capacity) {
        grow(state, size, skip);
        capacity = load<u32>(state, capacityAt);
        entries = <usize>load<u32>(state, memoryAt);
        table = entries + (<usize>capacity << 2);
        mask = 2 * capacity - 1;
        slot = freeSlot(table, mask, hash);
      }
      bytes += 4 + length;
      store<u32>(entries + (<usize>size << 2), <u32>(arena === 0 ? field : copied(field, arena)));
      found = tag | ++size;
      store<u32>(table + (<usize>slot << 2), found);
    }
    store<u32>(place, (found & 0xffff) - 1);
  }
  store<u32>(state, size, sizeAt);
  store<u32>(state, bytes, bytesAt);
  return i;
}

/** By the highest bits of the hash: the last characters of a text, by which many differ, do not reach the lowest. */
@inline
function firstSlot(hash: u32, mask: u32): u32 {
  return hash >> clz(mask);
}

/** What tells a text from its neighbours without looking at theirs: 16 bits, made of all, since some neighbours differ in the highest only. */
@inline
function tagOf(hash: u32): u32 {
  return (hash ^ (hash << 16)) & 0xffff0000;
}

function freeSlot(table: usize, mask: u32, hash: u32): u32 {
  let slot = firstSlot(hash, mask);
  while (load<u32>(table + (<usize>slot << 2)) !== 0) slot = (slot + 1) & mask;
  return slot;
}

function copied(field: usize, arena: usize): usize {
  leaveArena(copyNear(field, enterArena(arena)), 1);
  return madeField;
}

function grow(state: usize, size: u32, skip: u32): void {
  const old = <usize>load<u32>(state, memoryAt);
  const next = min(size << 2, load<u32>(state, mostAt));
  const entries = heap.alloc(<usize>next * bytesPerEntry);
  const table = entries + (<usize>next << 2);
  const mask = 2 * next - 1;
  memory.copy(entries, old, <usize>size << 2);
  memory.fill(table, 0, <usize>next << 3);
  for (let entry: u32 = 0; entry < size; ) {
    const field = <usize>load<u32>(entries + (<usize>entry << 2));
    const hash = hashOf(startOf(field, skip), lengthOf(field, skip));
    store<u32>(table + (<usize>freeSlot(table, mask, hash) << 2), tagOf(hash) | ++entry);
  }
  heap.free(old);
  store<u32>(state, next, capacityAt);
  store<u32>(state, <u32>entries, memoryAt);
}

/** Turns `count` numbers of entries at `values` into the addresses of these again. */
export function leaveTexts(state: usize, values: usize, count: u32): void {
  const entries = textDictionaryEntries(state);
  for (let i: u32 = 0; i < count; i++) {
    const at = values + (<usize>i << 2);
    store<u32>(at, load<u32>(entries + (<usize>load<u32>(at) << 2)));
  }
}
