import { fourDigits, writeUpTo4 } from './decimal-text';
import { beginText, bytesUntil, endText, enterArena, leaveArena, madeField, room } from './made-text';
import { int16 } from './postgres-numeric';
import { setNull } from './scratch';

/** Numerics as `numeric::text` prints them. Source: PostgreSQL, src/backend/utils/adt/numeric.c, get_str_from_var. */

@external('host', 'wrongWidth')
declare function wrongWidth(length: i32): void;

@inline
export function isNonFinite(at: usize): bool {
  return (load<u8>(at, 4) & 0x80) !== 0;
}

/** NaN, Infinity or -Infinity. */
export function writeNonFinite(at: usize, to: usize): usize {
  const sign = load<u8>(at, 4);
  if (sign === 0xc0) {
    store<u32>(to, 0x4e614e);
    return to + 3;
  }
  if (sign === 0xf0) store<u8>(to++, 0x2d);
  store<u64>(to, 0x7974696e69666e49);
  return to + 8;
}

/** The finite value at `at`, whose field is `length` bytes long, into the text being made. Answers where it ends. */
export function writeNumeric(at: usize, length: u32, to: usize): usize {
  // There may be more than 32767.
  const digits = <i32>bswap<u16>(load<u16>(at));
  const weight = int16(at + 2);
  const scale = int16(at + 6) & 0x3fff;
  if (length !== <u32>(8 + (digits << 1))) wrongWidth(length);
  to = room(to, 16 + (<usize>max(weight, 0) << 2) + scale);
  if (load<u8>(at, 4) !== 0) store<u8>(to++, 0x2d);
  const first = at + 8;
  if (weight < 0 || digits === 0) store<u8>(to++, 0x30);
  else to = writeUpTo4(int16(first), to);
  for (let k = 1; k <= weight; k++) {
    store<u32>(to, fourDigits(k < digits ? int16(first + (<usize>k << 1)) : 0));
    to += 4;
  }
  if (scale === 0) return to;
  store<u8>(to++, 0x2e);
  const end = to + scale;
  for (let k = weight + 1; to < end; k++) {
    store<u32>(to, fourDigits(k >= 0 && k < digits ? int16(first + (<usize>k << 1)) : 0));
    to += 4;
  }
  return end;
}

/** Texts in the arena; `values` gets their addresses. No further row when it holds `budget` bytes, but the first. */
export function numericTexts(offsets: usize, rows: u32, values: usize, levels: usize, first: u32, arena: usize, budget: u32): u32 {
  let to = values;
  let at = enterArena(arena);
  let row: u32 = 0;
  for (; row < rows && (row === 0 || bytesUntil(at) < budget); row++) {
    const field = <usize>load<u32>(offsets + (<usize>row << 2));
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    at = beginText(at);
    if (isNonFinite(field + 4)) at = writeNonFinite(field + 4, room(at, 16));
    else at = writeNumeric(field + 4, bswap<u32>(load<u32>(field)), at);
    at = endText(at);
    store<u32>(to, <u32>madeField);
    to += 4;
  }
  leaveArena(at, row);
  return <u32>((to - values) >> 2);
}
