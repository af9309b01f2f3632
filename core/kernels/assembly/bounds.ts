import { before, prefixOf } from './text';

/** Least and greatest of `count` > 0 values at `at`. Fixed widths: as PLAIN values at `least` and `greatest`; text: their fields. */
export let least: usize = heap.alloc(16);
export let greatest: usize = heap.alloc(16);
/** Fields, found by `boundsOfTexts`. */
export let leastText: usize = 0;
export let greatestText: usize = 0;

export function bounds1(at: usize, count: u32): void {
  let low = load<u8>(at);
  let high = low;
  for (let i: u32 = 1; i < count; i++) {
    const value = load<u8>(at + i);
    low = min<u8>(low, value);
    high = max<u8>(high, value);
  }
  store<u8>(least, low);
  store<u8>(greatest, high);
}

export function bounds4(at: usize, count: u32): void {
  let low = load<i32>(at);
  let high = low;
  for (let i: u32 = 1; i < count; i++) {
    const value = load<i32>(at + (<usize>i << 2));
    low = min<i32>(low, value);
    high = max<i32>(high, value);
  }
  store<i32>(least, low);
  store<i32>(greatest, high);
}

export function bounds8(at: usize, count: u32): void {
  let low = load<i64>(at);
  let high = low;
  for (let i: u32 = 1; i < count; i++) {
    const value = load<i64>(at + (<usize>i << 3));
    low = min<i64>(low, value);
    high = max<i64>(high, value);
  }
  store<i64>(least, low);
  store<i64>(greatest, high);
}

/** Big endian two's complement. */
export function bounds16(at: usize, count: u32): void {
  let low = at;
  let high = at;
  for (let i: u32 = 1; i < count; i++) {
    const value = at + (<usize>i << 4);
    if (less16(value, low)) low = value;
    else if (less16(high, value)) high = value;
  }
  memory.copy(least, low, 16);
  memory.copy(greatest, high, 16);
}

function less16(a: usize, b: usize): bool {
  const x = bswap<i64>(load<i64>(a));
  const y = bswap<i64>(load<i64>(b));
  return x !== y ? x < y : bswap<u64>(load<u64>(a, 8)) < bswap<u64>(load<u64>(b, 8));
}

/** False: there is a NaN, and the bounds say nothing. A zero has the sign that includes both zeros (parquet.thrift, ColumnOrder). */
export function boundsOfFloats(at: usize, count: u32): bool {
  let low: f32 = load<f32>(at);
  let high = low;
  // min and max answer NaN when either is.
  for (let i: u32 = 1; i < count; i++) {
    const value = load<f32>(at + (<usize>i << 2));
    low = min<f32>(low, value);
    high = max<f32>(high, value);
  }
  if (isNaN(low)) return false;
  store<f32>(least, low === 0 ? -0.0 : low);
  store<f32>(greatest, high === 0 ? 0.0 : high);
  return true;
}

export function boundsOfDoubles(at: usize, count: u32): bool {
  let low: f64 = load<f64>(at);
  let high = low;
  for (let i: u32 = 1; i < count; i++) {
    const value = load<f64>(at + (<usize>i << 3));
    low = min<f64>(low, value);
    high = max<f64>(high, value);
  }
  if (isNaN(low)) return false;
  store<f64>(least, low === 0 ? -0.0 : low);
  store<f64>(greatest, high === 0 ? 0.0 : high);
  return true;
}

/** `at`: addresses of fields; `low` and `high` are the bounds of others before them, or 0. Most are decided by their first 8 bytes. */
export function boundsOfTexts(at: usize, count: u32, skip: u32, low: usize, high: usize): void {
  if (low === 0) low = high = <usize>load<u32>(at);
  let lowPrefix = prefixOf(low, skip);
  let highPrefix = prefixOf(high, skip);
  for (let i: u32 = 0; i < count; i++) {
    const field = <usize>load<u32>(at + (<usize>i << 2));
    const prefix = prefixOf(field, skip);
    if (prefix < lowPrefix || (prefix === lowPrefix && before(field, low, skip))) {
      low = field;
      lowPrefix = prefix;
    }
    if (prefix > highPrefix || (prefix === highPrefix && before(high, field, skip))) {
      high = field;
      highPrefix = prefix;
    }
  }
  leastText = low;
  greatestText = high;
}
