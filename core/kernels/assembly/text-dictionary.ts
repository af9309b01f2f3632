import { pays } from './dictionary';
import { enterArena, leaveArena, madeField } from './made-text';
import { copyNear } from './near-text';
import { hashOf, lengthOf, same } from './text';

/**
 * The distinct texts of a column, entered as they arrive: later their bytes would have left the processor's cache. The memory of a
 * dictionary grows with its entries, since there may be a thousand columns.
 */

const maxEntries: u32 = 32768;
const maxBytes: u32 = 1 << 20;
const initialEntries: u32 = 64;
const bytesPerEntry: u32 = 16;

// Fields of a dictionary's state.
const sizeAt: usize = 0;
const bytesAt: usize = 4;
const capacityAt: usize = 8;
/** Of each entry the address of its field; behind them the hash of each; behind these two slots for each: entry + 1, or 0 for free. */
const memoryAt: usize = 12;
const stateBytes: usize = 16;

export function createTextDictionary(): usize {
  const state = heap.alloc(stateBytes);
  store<u32>(state, initialEntries, capacityAt);
  store<u32>(state, <u32>heap.alloc(initialEntries * bytesPerEntry), memoryAt);
  clearTextDictionary(state);
  return state;
}

export function clearTextDictionary(state: usize): void {
  const capacity = load<u32>(state, capacityAt);
  store<u32>(state, 0, sizeAt);
  store<u32>(state, 0, bytesAt);
  memory.fill(<usize>load<u32>(state, memoryAt) + (<usize>capacity << 3), 0, <usize>capacity << 3);
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
  let capacity = load<u32>(state, capacityAt);
  let entries = <usize>load<u32>(state, memoryAt);
  let hashes = entries + (<usize>capacity << 2);
  let table = entries + (<usize>capacity << 3);
  let mask = 2 * capacity - 1;
  let i: u32 = 0;
  for (; i < count; i++) {
    const field = <usize>load<u32>(values + (<usize>i << 2));
    const hash = hashOf(field, skip);
    let slot = hash & mask;
    let entry = load<u32>(table + (<usize>slot << 2));
    while (
      entry !== 0 &&
      (load<u32>(hashes + (<usize>(entry - 1) << 2)) !== hash || !same(<usize>load<u32>(entries + (<usize>(entry - 1) << 2)), field, skip))
    ) {
      slot = (slot + 1) & mask;
      entry = load<u32>(table + (<usize>slot << 2));
    }
    if (entry === 0) {
      if (size === maxEntries || bytes + 4 + lengthOf(field, skip) > maxBytes) break;
      if (size === capacity) {
        grow(state, size);
        capacity = load<u32>(state, capacityAt);
        entries = <usize>load<u32>(state, memoryAt);
        hashes = entries + (<usize>capacity << 2);
        table = entries + (<usize>capacity << 3);
        mask = 2 * capacity - 1;
        slot = hash & mask;
        while (load<u32>(table + (<usize>slot << 2)) !== 0) slot = (slot + 1) & mask;
      }
      bytes += 4 + lengthOf(field, skip);
      store<u32>(entries + (<usize>size << 2), <u32>(arena === 0 ? field : copied(field, arena)));
      store<u32>(hashes + (<usize>size << 2), hash);
      entry = ++size;
      store<u32>(table + (<usize>slot << 2), entry);
    }
    store<u32>(values + (<usize>i << 2), entry - 1);
  }
  store<u32>(state, size, sizeAt);
  store<u32>(state, bytes, bytesAt);
  return i;
}

function copied(field: usize, arena: usize): usize {
  leaveArena(copyNear(field, enterArena(arena)), 1);
  return madeField;
}

function grow(state: usize, size: u32): void {
  const capacity = load<u32>(state, capacityAt);
  const old = <usize>load<u32>(state, memoryAt);
  const next = capacity << 2;
  const entries = heap.alloc(<usize>next << 4);
  const hashes = entries + (<usize>next << 2);
  const table = entries + (<usize>next << 3);
  const mask = 2 * next - 1;
  memory.copy(entries, old, <usize>size << 2);
  memory.copy(hashes, old + (<usize>capacity << 2), <usize>size << 2);
  memory.fill(table, 0, <usize>next << 3);
  for (let i: u32 = 0; i < size; i++) {
    let slot = load<u32>(hashes + (<usize>i << 2)) & mask;
    while (load<u32>(table + (<usize>slot << 2)) !== 0) slot = (slot + 1) & mask;
    store<u32>(table + (<usize>slot << 2), i + 1);
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
