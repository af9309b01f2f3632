/**
 * A text is known by the address of its field: a 4-byte big endian length, then the bytes. `skip` bytes of them do not belong to it
 * (the version before a jsonb). Words are loaded beyond the end and masked: there is memory behind every field.
 */

@inline
export function startOf(field: usize, skip: u32): usize {
  return field + 4 + skip;
}

@inline
export function lengthOf(field: usize, skip: u32): u32 {
  return bswap<u32>(load<u32>(field)) - skip;
}

@inline
function tail(at: usize, bytes: u32): u64 {
  return load<u64>(at) & ((<u64>1 << (<u64>bytes << 3)) - 1);
}

const factor: u64 = 0x9e3779b97f4a7c15;

/** Of the `length` bytes at `at`. */
@inline
export function hashOf(at: usize, length: u32): u32 {
  let hash: u64 = <u64>length * factor;
  if (length < 8) return <u32>(((hash ^ tail(at, length)) * factor) >> 32);
  const last = at + length - 8;
  for (; at < last; at += 8) {
    hash = (hash ^ load<u64>(at)) * factor;
    hash ^= hash >> 32;
  }
  return <u32>(((hash ^ load<u64>(last)) * factor) >> 32);
}

/** Whether `length` bytes are the same. */
@inline
export function same(a: usize, b: usize, length: u32): bool {
  if (length < 8) return tail(a, length) === tail(b, length);
  const last = length - 8;
  for (let i: usize = 0; i < last; i += 8) if (load<u64>(a + i) !== load<u64>(b + i)) return false;
  return load<u64>(a + last) === load<u64>(b + last);
}

/** The first 8 bytes as a number that compares as they do; shorter texts are filled with zeros. */
export function prefixOf(field: usize, skip: u32): u64 {
  const length = lengthOf(field, skip);
  const at = startOf(field, skip);
  return bswap<u64>(length >= 8 ? load<u64>(at) : tail(at, length));
}

/** Whether `a` comes before `b`, byte by byte. */
export function before(a: usize, b: usize, skip: u32): bool {
  const aLength = lengthOf(a, skip);
  const bLength = lengthOf(b, skip);
  const order = memory.compare(startOf(a, skip), startOf(b, skip), min<u32>(aLength, bLength));
  return order !== 0 ? order < 0 : aLength < bLength;
}

/** Copies a text behind its little endian length, as PLAIN pages want it; answers where it ends. May write 15 bytes beyond. */
@inline
export function copyText(field: usize, skip: u32, to: usize): usize {
  const length = lengthOf(field, skip);
  const from = startOf(field, skip);
  store<u32>(to, length);
  to += 4;
  if (length > 64) memory.copy(to, from, length);
  else for (let i: u32 = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
  return to + length;
}
