import { bitmap, made, reserveMade, values } from './scratch';

/** Columns that were made elsewhere: the host has written them to `values` or `made`, and a byte per level to `made`. */

export function reserveVector(bytes: usize): usize {
  reserveMade(bytes);
  return made;
}

/** `rows` levels of one byte at `made` into bits. */
export function packLevels(rows: u32): void {
  memory.fill(bitmap, 0, (rows >> 3) + 1);
  for (let row: u32 = 0; row < rows; row++) {
    const at = bitmap + (row >> 3);
    store<u8>(at, load<u8>(at) | (load<u8>(made + row) << <u8>(row & 7)));
  }
}

/** `count` texts at `made`, each behind its little endian length, become fields. Answers the bytes of the longest. */
export function adoptTexts(count: u32): u32 {
  let at = made;
  let longest: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const length = load<u32>(at);
    longest = max<u32>(longest, length);
    store<u32>(at, bswap<u32>(length));
    store<u32>(values + (<usize>i << 2), <u32>at);
    at += 4 + length;
  }
  return longest;
}
