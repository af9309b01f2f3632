import { beginText, endText, enterArena, leaveArena, madeField, room } from './made-text';

/** Copying short texts by words is quicker than to ask for it. */
const short: u32 = 256;

/** Copies a field behind the others in the arena, where `to` is; answers where the next one goes. The copy is at `madeField`. */
@inline
export function copyNear(field: usize, to: usize): usize {
  const length = bswap<u32>(load<u32>(field));
  to = room(beginText(to), length);
  field += 4;
  if (length > short) memory.copy(to, field, length);
  else for (let i: u32 = 0; i < length; i += 16) v128.store(to + i, v128.load(field + i));
  return endText(to + length);
}

/**
 * Copies `count` texts, the addresses of whose fields are at `at`, next to one another into an arena. They are at hand just after they were
 * found; later each would be fetched from afar, and the memory where they came could not be used again.
 */
export function bringNear(at: usize, count: u32, arena: usize): void {
  let to = enterArena(arena);
  for (let i: u32 = 0; i < count; i++) {
    const place = at + (<usize>i << 2);
    to = copyNear(<usize>load<u32>(place), to);
    store<u32>(place, <u32>madeField);
  }
  leaveArena(to, count);
}
