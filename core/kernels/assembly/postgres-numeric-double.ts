import { int16 } from './postgres-numeric';
import { isNonFinite } from './postgres-numeric-text';
import { setNull } from './scratch';

/** The double nearest to the numeric of a field. */
@external('host', 'nearestDouble')
declare function nearestDouble(row: u32, field: usize): f64;

/** A number of so many digits at most is told by the double nearest to it. */
const safe: u64 = 1000000000000000;
/** 10000 to this power and less is a double itself. */
const exactPower: i32 = 5;

function power(exponent: i32): f64 {
  let value: f64 = 1;
  for (; exponent > 0; exponent--) value *= 10000;
  return value;
}

/**
 * Numerics of any precision as the doubles nearest to them. One operation with two exact doubles rounds once, so it finds the nearest
 * (William D. Clinger, "How to Read Floating Point Numbers Accurately", 1990); the host finds the others.
 */
export function numericDoubles(offsets: usize, rows: u32, values: usize, levels: usize, first: u32): u32 {
  let to = values;
  for (let row: u32 = 0; row < rows; row++) {
    const field = <usize>load<u32>(offsets + (<usize>row << 2));
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    store<f64>(to, doubleOf(field, first + row));
    to += 8;
  }
  return <u32>((to - values) >> 3);
}

function doubleOf(field: usize, row: u32): f64 {
  const at = field + 4;
  const sign = load<u8>(at, 4);
  if (isNonFinite(at)) return sign === 0xc0 ? NaN : sign === 0xf0 ? -Infinity : Infinity;
  const digits = <i32>bswap<u16>(load<u16>(at));
  const exponent = int16(at + 2) - digits + 1;
  if (digits > 4 || exponent > exactPower || exponent < -exactPower) return digits === 0 ? 0 : nearestDouble(row, field);
  let whole: u64 = 0;
  for (let k = 0; k < digits; k++) whole = whole * 10000 + <u64>int16(at + 8 + (<usize>k << 1));
  if (whole >= safe) return nearestDouble(row, field);
  const value = exponent < 0 ? <f64>whole / power(-exponent) : <f64>whole * power(exponent);
  return sign === 0 ? value : -value;
}
