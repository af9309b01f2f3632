import { setNull } from './scratch';

/**
 * Fields of one column, at `offsets[row]`, to `values`, packed as PLAIN pages want them. `levels` has a bit per row of the column, of which
 * these are the ones from `first` on; it is cleared where a row is NULL. Each function answers how many are not.
 */

@external('host', 'clamp')
/** Whether a value that the column's type cannot hold becomes the nearest one; else NULL. Throws if neither. */
declare function clamp(row: u32, field: usize): bool;

@external('host', 'wrongWidth')
declare function wrongWidth(length: i32): void;

@inline
function fieldAt(offsets: usize, row: u32): usize {
  return <usize>load<u32>(offsets + (<usize>row << 2));
}

@inline
function mustBe(field: usize, width: i32): void {
  if (load<u32>(field) !== bswap<u32>(width)) wrongWidth(bswap<i32>(load<i32>(field)));
}

export function booleans(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 1);
    store<u8>(to++, load<u8>(field, 4));
  }
  return <u32>(to - values);
}

export function int2s(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 2);
    store<i32>(to, <i32>bswap<i16>(load<i16>(field, 4)));
    to += 4;
  }
  return <u32>((to - values) >> 2);
}

/** int4 and float4. */
export function words(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 4);
    store<u32>(to, bswap<u32>(load<u32>(field, 4)));
    to += 4;
  }
  return <u32>((to - values) >> 2);
}

/** int8 and float8. */
export function doubleWords(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 8);
    store<u64>(to, bswap<u64>(load<u64>(field, 4)));
    to += 8;
  }
  return <u32>((to - values) >> 3);
}

/** oid and its like, as 64-bit integers. */
export function unsigned4s(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 4);
    store<u64>(to, <u64>bswap<u32>(load<u32>(field, 4)));
    to += 8;
  }
  return <u32>((to - values) >> 3);
}

/** xid8, as decimals of 128 bits. */
export function unsigned8s(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 8);
    store<u64>(to, 0);
    store<u64>(to, load<u64>(field, 4), 8);
    to += 16;
  }
  return <u32>((to - values) >> 4);
}

/** PostgreSQL counts from 2000-01-01, Parquet from 1970-01-01. */
const epochDays: i32 = 10957;
const epochMicros: i64 = 946684800000000;
/** 0001-01-01 and 9999-12-31, from 1970. */
const firstDay: i32 = -719162;
const lastDay: i32 = 2932896;
const firstMicro: i64 = -62135596800000000;
const lastMicro: i64 = 253402300799999999;
/** 23:59:59.999999. */
const lastTime: i64 = 86399999999;

export function dates(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 4);
    const sent = bswap<i32>(load<i32>(field, 4));
    let day = sent + epochDays;
    if (sent < firstDay - epochDays || sent > lastDay - epochDays) {
      if (!clamp(first + row, field)) {
        setNull(levels, first + row);
        continue;
      }
      day = sent < 0 ? firstDay : lastDay;
    }
    store<i32>(to, day);
    to += 4;
  }
  return <u32>((to - values) >> 2);
}

export function times(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 8);
    let micros = bswap<i64>(load<i64>(field, 4));
    if (micros > lastTime) {
      if (!clamp(first + row, field)) {
        setNull(levels, first + row);
        continue;
      }
      micros = lastTime;
    }
    store<i64>(to, micros);
    to += 8;
  }
  return <u32>((to - values) >> 3);
}

export function timestamps(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 8);
    const sent = bswap<i64>(load<i64>(field, 4));
    let micros = sent + epochMicros;
    if (sent < firstMicro - epochMicros || sent > lastMicro - epochMicros) {
      if (!clamp(first + row, field)) {
        setNull(levels, first + row);
        continue;
      }
      micros = sent < 0 ? firstMicro : lastMicro;
    }
    store<i64>(to, micros);
    to += 8;
  }
  return <u32>((to - values) >> 3);
}

/** Fields that stay where they are: `values` gets their addresses. A longer one than `limit` goes to the host. */
export function texts(offsets: usize, rows: u32, values: usize, levels: usize, first: u32, limit: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    if (bswap<u32>(load<u32>(field)) > limit) clamp(first + row, field);
    store<u32>(to, <u32>field);
    to += 4;
  }
  return <u32>((to - values) >> 2);
}

const uuidText: u32 = 36;

@inline
function hexDigit(digit: u32): u32 {
  return digit + (digit < 10 ? 0x30 : 0x57);
}

/** The 36 characters of each uuid, as fields of text at `text`, 40 bytes each. */
export function uuids(offsets: usize, rows: u32, values: usize, levels: usize, first: u32, text: usize): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 16);
    store<u32>(to, <u32>text);
    to += 4;
    store<u32>(text, bswap<u32>(uuidText));
    text += 4;
    for (let i: u32 = 0; i < 16; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) store<u8>(text++, 0x2d);
      const byte = <u32>load<u8>(field + 4 + i);
      store<u8>(text++, <u8>hexDigit(byte >> 4));
      store<u8>(text++, <u8>hexDigit(byte & 15));
    }
  }
  return <u32>((to - values) >> 2);
}
