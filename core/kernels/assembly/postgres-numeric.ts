import { setNull } from './scratch';

/**
 * PostgreSQL's numeric in binary form: uint16 digits, int16 weight, uint16 sign, int16 display scale, then base-10000 digits.
 * Source: PostgreSQL, src/backend/utils/adt/numeric.c, numeric_send.
 */

@external('host', 'clamp')
declare function clamp(row: u32, field: usize): bool;

/** As the source sends it. */
@inline
export function int16(at: usize): i32 {
  return <i32>bswap<i16>(load<i16>(at));
}

/** The base-10000 digit number `k`, 0 beyond the last one. */
@inline
function digitAt(at: usize, k: i32, digits: i32): i32 {
  return k < digits ? int16(at + 8 + (<usize>k << 1)) : 0;
}

function power(exponent: i32): i32 {
  return exponent === 0 ? 1 : exponent === 1 ? 10 : exponent === 2 ? 100 : 1000;
}

/** Whether the finite value at `at` has no exact place in DECIMAL(precision, scale). */
export function misfits(at: usize, precision: i32, scale: i32): bool {
  const digits = int16(at);
  const weight = int16(at + 2);
  let first = 0;
  while (first < digits && digitAt(at, first, digits) === 0) first++;
  if (first === digits) return false;
  const lead = digitAt(at, first, digits);
  const leadDigits = lead > 999 ? 4 : lead > 99 ? 3 : lead > 9 ? 2 : 1;
  if (4 * (weight - first) + leadDigits > precision - scale) return true;
  for (let k = first; k < digits; k++) {
    // The digit's last decimal place stands `below` places below the last place of the type.
    const below = -4 * (weight - k) - scale;
    const digit = digitAt(at, k, digits);
    if (below >= 4 ? digit !== 0 : below > 0 && digit % power(below) !== 0) return true;
  }
  return false;
}

/** Decimals of at most 18 digits: `width` 4 or 8 bytes. */
export function decimals(offsets: usize, rows: u32, values: usize, levels: usize, first: u32, precision: i32, scale: i32, width: u32): u32 {
  const part = scale & 3;
  const rest = power(4 - part) * (part === 0 ? 10 : 1);
  const raise = <i64>power(part);
  // A digit by 10, 100 or 1000, without dividing: exact for all digits.
  const inverse = <u64>(((1 << 26) + rest - 1) / rest);
  // Cheap tests that every value of numeric(p,s) passes; one that fails gets the exact test.
  const whole = (precision - scale) / 4;
  const leadLimit = power((precision - scale) % 4);
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = <usize>load<u32>(offsets + (<usize>row << 2));
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    const at = field + 4;
    const sign = load<u8>(at, 4);
    if ((sign & 0x80) !== 0) {
      clamp(first + row, field);
      setNull(levels, first + row);
      continue;
    }
    const digits = int16(at);
    const weight = int16(at + 2);
    const last = weight + (scale >> 2);
    const cut = part !== 0 && last >= -1 ? digitAt(at, last + 1, digits) : 0;
    const kept = <i32>((<u64>cut * inverse) >> 26);
    if (
      weight > whole ||
      (weight === whole && int16(at + 8) >= leadLimit) ||
      digits > last + (part === 0 ? 1 : 2) ||
      kept * rest !== cut
    ) {
      if (misfits(at, precision, scale)) clamp(first + row, field);
    }
    let value: i64 = 0;
    for (let k = 0; k <= last; k++) value = value * 10000 + <i64>digitAt(at, k, digits);
    if (part !== 0) value = value * raise + <i64>kept;
    if (sign !== 0) value = -value;
    if (width === 4) store<i32>(to, <i32>value);
    else store<i64>(to, value);
    to += width;
  }
  return <u32>((to - values) / width);
}

/** Decimals of up to 38 digits: 16 bytes, big endian two's complement. */
export function wideDecimals(offsets: usize, rows: u32, values: usize, levels: usize, first: u32, precision: i32, scale: i32): u32 {
  const part = scale & 3;
  const rest = power(4 - part) * (part === 0 ? 10 : 1);
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = <usize>load<u32>(offsets + (<usize>row << 2));
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    const at = field + 4;
    const sign = load<u8>(at, 4);
    if ((sign & 0x80) !== 0) {
      clamp(first + row, field);
      setNull(levels, first + row);
      continue;
    }
    if (misfits(at, precision, scale)) clamp(first + row, field);
    const digits = int16(at);
    const last = int16(at + 2) + (scale >> 2);
    high = 0;
    low = 0;
    for (let k = 0; k <= last; k++) append(10000, digitAt(at, k, digits));
    if (part !== 0) append(power(part), last >= -1 ? digitAt(at, last + 1, digits) / rest : 0);
    if (sign !== 0) {
      low = ~low + 1;
      high = ~high + (low === 0 ? 1 : 0);
    }
    store<u64>(to, bswap<u64>(high));
    store<u64>(to, bswap<u64>(low), 8);
    to += 16;
  }
  return <u32>((to - values) >> 4);
}

let high: u64 = 0;
let low: u64 = 0;

/** (high, low) × factor + digit. */
function append(factor: u64, digit: u64): void {
  const a = (low & 0xffffffff) * factor + digit;
  const b = (low >> 32) * factor + (a >> 32);
  low = (b << 32) | (a & 0xffffffff);
  high = high * factor + (b >> 32);
}
