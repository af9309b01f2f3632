import { page, reservePage } from './scratch';
import { copyText, lengthOf } from './text';

/** The first `count` dictionary indices, of 32 bits, as one bit-packed run at `page`, of `width` ≤ 16 bits each. Little endian, least bit first. */
export function packIndices(indices: usize, count: u32, width: u32): void {
  let to = page;
  let bits: u64 = 0;
  let waiting: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    bits |= <u64>load<u32>(indices + (<usize>i << 2)) << waiting;
    waiting += width;
    if (waiting >= 32) {
      store<u32>(to, <u32>bits);
      to += 4;
      bits >>= 32;
      waiting -= 32;
    }
  }
  store<u64>(to, bits);
}

/** Booleans `[from, to)` of `values` as bits at `page`. */
export function packBooleans(values: usize, from: u32, to: u32): void {
  memory.fill(page, 0, ((to - from) >> 3) + 1);
  for (let i = from; i < to; i++) {
    const at = page + ((i - from) >> 3);
    store<u8>(at, load<u8>(at) | (load<u8>(values + i) << <u8>((i - from) & 7)));
  }
}

/** `count` texts, whose fields are at `at`, into `page`; answers their bytes. */
export function copyTexts(at: usize, count: u32, skip: u32): u32 {
  let to = page;
  for (let i: u32 = 0; i < count; i++) to = copyText(<usize>load<u32>(at + (<usize>i << 2)), skip, to);
  return <u32>(to - page);
}

/** What went into a page: rows, values among them, and bytes of these. */
export let slicedRows: u32 = 0;
export let slicedValues: u32 = 0;
export let slicedBytes: u32 = 0;

@inline
function hasValue(levels: usize, row: u32): bool {
  return ((load<u8>(levels + (row >> 3)) >> (row & 7)) & 1) === 1;
}

/** The rows from `row` on that fill a page of `limit` bytes, of values of `width`; a multiple of 8, but for the last page. */
export function slicePage(levels: usize, row: u32, rows: u32, width: u32, limit: u32): void {
  let bytes: u32 = 0;
  let at = row;
  for (; at < rows && (bytes < limit || (at & 7) !== 0); at++) if (hasValue(levels, at)) bytes += width;
  slicedRows = at - row;
  slicedValues = bytes / width;
  slicedBytes = bytes;
}

/** Texts go a little beyond the limit of a page. */
const beyond: u32 = 1 << 16;

/** The same of texts, which go to `page` at once: they are far away. Their fields' addresses are at `values`, from number `value` on. */
export function sliceTexts(values: usize, levels: usize, row: u32, rows: u32, value: u32, skip: u32, limit: u32): void {
  reservePage(limit + beyond);
  const from = values + (<usize>value << 2);
  let bytes: u32 = 0;
  let at = row;
  let found: u32 = 0;
  for (; at < rows && (bytes < limit || (at & 7) !== 0); at++) {
    if (!hasValue(levels, at)) continue;
    const field = <usize>load<u32>(from + (<usize>found << 2));
    found++;
    const start = bytes;
    bytes += 4 + lengthOf(field, skip);
    if (bytes <= limit + beyond) copyText(field, skip, page + start);
  }
  slicedRows = at - row;
  slicedValues = found;
  slicedBytes = bytes;
  if (bytes <= limit + beyond) return;
  reservePage(bytes);
  copyTexts(from, found, skip);
}
