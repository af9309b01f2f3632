/** Numbers as decimal text. Each function answers where the text ends; there must be room for it, and 4 bytes behind. */

/** The four digits of a number below 10000, the first one at the lowest address. */
@inline
export function fourDigits(value: u32): u32 {
  const hundreds = (value * 5243) >>> 19;
  const rest = value - hundreds * 100;
  const thousands = (hundreds * 103) >>> 10;
  const tens = (rest * 103) >>> 10;
  return 0x30303030 + (thousands | ((hundreds - thousands * 10) << 8) | (tens << 16) | ((rest - tens * 10) << 24));
}

/** A number below 10000 without leading zeros. */
@inline
export function writeUpTo4(value: u32, to: usize): usize {
  const missing: u32 = value > 999 ? 0 : value > 99 ? 1 : value > 9 ? 2 : 3;
  store<u32>(to, fourDigits(value) >>> (missing << 3));
  return to + 4 - missing;
}

/** An integer: at most 20 bytes. */
export function writeInteger(value: i64, to: usize): usize {
  let left = <u64>value;
  if (value < 0) {
    store<u8>(to++, 0x2d);
    left = 0 - left;
  }
  if (left < 10000) return writeUpTo4(<u32>left, to);
  const above = left / 10000;
  to = above < 10000 ? writeUpTo4(<u32>above, to) : writeInteger(<i64>above, to);
  store<u32>(to, fourDigits(<u32>(left - above * 10000)));
  return to + 4;
}
