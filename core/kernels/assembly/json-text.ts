import { fits, room } from './made-text';

/** Strings of JSON as PostgreSQL writes them. Source: src/backend/utils/adt/json.c, escape_json. */

const quote: u8 = 0x22;
const backslash: u8 = 0x5c;

/** What stands behind the backslash for each byte below 32: a letter, or 0 for its number in hexadecimal. */
const letters = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0x62, 0x74, 0x6e, 0, 0x66, 0x72, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** A bit for each of the 16 bytes at `from` that must be escaped. */
@inline
function specials(bytes: v128): i32 {
  return i8x16.bitmask(
    v128.or(
      i8x16.lt_u(bytes, i8x16.splat(0x20)),
      v128.or(i8x16.eq(bytes, i8x16.splat(quote)), i8x16.eq(bytes, i8x16.splat(backslash))),
    ),
  );
}

/** Bytes of the string with its quotes. */
function escapedLength(from: usize, bytes: u32): usize {
  let length: usize = <usize>bytes + 2;
  for (const end = from + bytes; from < end; from++) {
    const byte = load<u8>(from);
    if (byte < 0x20) length += load<u8>(letters + byte) !== 0 ? 1 : 5;
    else if (byte === quote || byte === backslash) length++;
  }
  return length;
}

/** `bytes` bytes of text into the text being made, as a string of JSON. Answers where it ends. */
export function writeEscaped(from: usize, bytes: u32, to: usize): usize {
  // Only when the worst case does not fit is it worth to count.
  if (!fits(to, (<usize>bytes * 6) + 18)) to = room(to, escapedLength(from, bytes) + 16);
  store<u8>(to++, quote);
  const end = from + bytes;
  while (from < end) {
    const words = v128.load(from);
    v128.store(to, words);
    const left = <i32>min<usize>(end - from, 16);
    const plain = min(ctz(specials(words) | 0x10000), left);
    from += plain;
    to += plain;
    if (plain < left) to = writeSpecial(load<u8>(from++), to);
  }
  store<u8>(to, quote);
  return to + 1;
}

function writeSpecial(byte: u8, to: usize): usize {
  store<u8>(to, backslash);
  const letter = byte < 0x20 ? load<u8>(letters + byte) : byte;
  if (letter !== 0) {
    store<u8>(to, letter, 1);
    return to + 2;
  }
  store<u32>(to, 0x30303075, 1);
  store<u8>(to, 0x30 + (byte >> 4), 4);
  store<u8>(to, (byte & 15) < 10 ? 0x30 + (byte & 15) : 0x57 + (byte & 15), 5);
  return to + 6;
}
