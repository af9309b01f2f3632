import { beginText, bytesUntil, endText, enterArena, leaveArena, madeField, room } from './made-text';
import { setNull } from './scratch';
import { uuidText, writeUuid } from './uuid-text';

/**
 * Fields of one column, at `offsets[row]`, to `values`, packed as PLAIN pages want them. `levels` has a bit per row of the column, of which
 * these are the ones from `first` on; it is cleared where a row is NULL. Each function answers how many are not.
 */

/**
 * Whether a value that the column's type cannot hold becomes the nearest one; else NULL. Throws if neither: always for a text that is too
 * long, since text has no policy.
 */
@external('host', 'clamp')
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

/** Numbers of one width, sent as `From`, to the little endian `To`. */
@inline
function numbers<From, To>(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, sizeof<From>());
    store<To>(to, <To>bswap<From>(load<From>(field, 4)));
    to += sizeof<To>();
  }
  return <u32>(to - values) / sizeof<To>();
}

export function booleans(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  return numbers<u8, u8>(offsets, rows, values, levels, first);
}

export function int2s(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  return numbers<i16, i32>(offsets, rows, values, levels, first);
}

/** int4 and float4. */
export function words(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  return numbers<u32, u32>(offsets, rows, values, levels, first);
}

/** int8 and float8. */
export function doubleWords(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  return numbers<u64, u64>(offsets, rows, values, levels, first);
}

/** oid and its like, as 64-bit integers. */
export function unsigned4s(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  return numbers<u32, u64>(offsets, rows, values, levels, first);
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

/** Days or microseconds, counted from `epoch` in Parquet; those outside of `least` and `greatest`, as sent, go to the host. */
@inline
function moments<T>(offsets: usize, rows: u32, values: usize, levels: usize, first: u32, epoch: T, least: T, greatest: T): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, sizeof<T>());
    let sent = bswap<T>(load<T>(field, 4));
    if (sent < least || sent > greatest) {
      if (!clamp(first + row, field)) {
        setNull(levels, first + row);
        continue;
      }
      sent = sent < least ? least : greatest;
    }
    store<T>(to, sent + epoch);
    to += sizeof<T>();
  }
  return <u32>(to - values) / sizeof<T>();
}

export function dates(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  return moments<i32>(offsets, rows, values, levels, first, epochDays, firstDay - epochDays, lastDay - epochDays);
}

export function times(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  return moments<i64>(offsets, rows, values, levels, first, 0, 0, lastTime);
}

export function timestamps(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  return moments<i64>(offsets, rows, values, levels, first, epochMicros, firstMicro - epochMicros, lastMicro - epochMicros);
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

const uuidField: u32 = 4 + uuidText;

/** The characters of each uuid in the arena; `values` gets their addresses. No further row when it holds `budget` bytes, but the first. */
export function uuids(offsets: usize, rows: u32, values: usize, levels: usize, first: u32, arena: usize, budget: u32): u32 {
  let to = values;
  let at = enterArena(arena);
  let row: u32 = 0;
  for (; row < rows && (row === 0 || bytesUntil(at) < budget); row++) {
    const field = fieldAt(offsets, row);
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    mustBe(field, 16);
    at = room(beginText(at), uuidText);
    writeUuid(field + 4, at);
    at = endText(at + uuidText);
    store<u32>(to, <u32>madeField);
    to += 4;
  }
  leaveArena(at, row);
  return <u32>((to - values) >> 2);
}
