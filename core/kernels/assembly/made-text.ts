/**
 * Text that is made here, as fields, in blocks that never move. An arena is the blocks of one row group. While text is made, `at` is where
 * its next byte goes; a text that outgrows its block moves to another one before anybody knows its address.
 */

const blockBytes: usize = 1 << 18;
/** Behind each block: text is written and read by words. */
const slackBytes: usize = 64;

// Fields of an arena's state.
const firstAt: usize = 0;
const blockAt: usize = 4;
const positionAt: usize = 8;
/** Bytes in the blocks before that one. */
const filledAt: usize = 12;
/** The last three again, as they were at the mark. */
const markAt: usize = 16;
const stateBytes: usize = 28;

// Fields of a block.
const nextAt: usize = 0;
const sizeAt: usize = 4;
const headerBytes: usize = 8;

let arena: usize = 0;
let block: usize = 0;
let end: usize = 0;
let filled: u32 = 0;
/** The text that is being made: where its field begins. */
export let madeField: usize = 0;
/** Rows that the last function that makes text has done: fewer than it was given when the arena was full. */
export let madeRows: u32 = 0;

function createBlock(bytes: usize, next: usize): usize {
  const created = heap.alloc(headerBytes + bytes + slackBytes);
  store<u32>(created, <u32>next, nextAt);
  store<u32>(created, <u32>bytes, sizeAt);
  return created;
}

export function createArena(): usize {
  const state = heap.alloc(stateBytes);
  store<u32>(state, <u32>createBlock(blockBytes, 0), firstAt);
  clearArena(state);
  return state;
}

/** Forgets all texts. Blocks larger than usual are given back. */
export function clearArena(state: usize): void {
  const first = <usize>load<u32>(state, firstAt);
  let last = first;
  for (let next = <usize>load<u32>(last, nextAt); next !== 0; ) {
    const after = <usize>load<u32>(next, nextAt);
    if (<usize>load<u32>(next, sizeAt) > blockBytes) {
      heap.free(next);
      store<u32>(last, <u32>after, nextAt);
    } else last = next;
    next = after;
  }
  store<u32>(state, <u32>first, blockAt);
  store<u32>(state, <u32>(first + headerBytes), positionAt);
  store<u32>(state, 0, filledAt);
}

export function arenaBytes(state: usize): u32 {
  return load<u32>(state, filledAt) + <u32>(<usize>load<u32>(state, positionAt) - <usize>load<u32>(state, blockAt) - headerBytes);
}

export function markArena(state: usize): void {
  memory.copy(state + markAt, state + blockAt, markAt - blockAt);
}

/** Forgets the texts made since the mark. */
export function returnToMark(state: usize): void {
  memory.copy(state + blockAt, state + markAt, markAt - blockAt);
}

/** Answers where the next text goes. */
export function enterArena(state: usize): usize {
  arena = state;
  block = <usize>load<u32>(state, blockAt);
  end = block + headerBytes + <usize>load<u32>(block, sizeAt);
  filled = load<u32>(state, filledAt);
  return <usize>load<u32>(state, positionAt);
}

/** After `rows` rows, whose texts end at `at`. */
export function leaveArena(at: usize, rows: u32): void {
  madeRows = rows;
  store<u32>(arena, <u32>block, blockAt);
  store<u32>(arena, <u32>at, positionAt);
  store<u32>(arena, filled, filledAt);
}

/** Bytes in the arena, when the next text goes to `at`. */
@inline
export function bytesUntil(at: usize): u32 {
  return filled + <u32>(at - block - headerBytes);
}

/** Begins a text at `at`; answers where its first byte goes. */
@inline
export function beginText(at: usize): usize {
  madeField = at;
  return room(at, 4) + 4;
}

/** Bytes of the text that is being made. */
@inline
export function lengthUntil(at: usize): u32 {
  return <u32>(at - madeField - 4);
}

/** Ends it: it is the field at `madeField`. Answers where the next one goes. */
@inline
export function endText(at: usize): usize {
  store<u32>(madeField, bswap<u32>(lengthUntil(at)));
  return at;
}

/** Whether so many bytes fit at `at`. */
@inline
export function fits(at: usize, bytes: usize): bool {
  return bytes <= end - at;
}

/** Room for so many bytes at `at`, and some behind them; answers where that is now. */
@inline
export function room(at: usize, bytes: usize): usize {
  return fits(at, bytes) ? at : moved(at, bytes);
}

function moved(at: usize, bytes: usize): usize {
  const length = at - madeField;
  const needed = length + bytes;
  let next = <usize>load<u32>(block, nextAt);
  if (next === 0 || <usize>load<u32>(next, sizeAt) < needed) {
    // Twice as much, since it may grow further.
    next = createBlock(needed <= blockBytes ? blockBytes : needed + length, next);
    store<u32>(block, <u32>next, nextAt);
  }
  memory.copy(next + headerBytes, madeField, length);
  filled += <u32>(madeField - block - headerBytes);
  block = next;
  madeField = next + headerBytes;
  end = madeField + <usize>load<u32>(next, sizeAt);
  return madeField + length;
}
