/** Decimal text of the server (`-00012.340`) to integers of the file. */

const two32 = 4294967296;

/** Magnitude × 10^scale as four 32-bit limbs, least significant first, two's complement. */
export const limbs = new Uint32Array(4);

/** Why a text has no place in a DECIMAL(precision, scale). */
export type DecimalFault = 'too large' | 'too precise' | null;

/**
 * Fills `limbs` with the value × 10^scale. Digits are taken six at a time: limb × 10^6 + carry stays below 2^53.
 * Zeros at either end do not count.
 */
export function readDecimal(bytes: Uint8Array, at: number, length: number, precision: number, scale: number): DecimalFault {
  let p = at;
  const end = at + length;
  const negative = bytes[p] === 0x2d;
  if (negative) p++;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const times = (factor: number, add: number): void => {
    let x = a * factor + add;
    let carry = Math.floor(x / two32);
    a = x - carry * two32;
    x = b * factor + carry;
    carry = Math.floor(x / two32);
    b = x - carry * two32;
    x = c * factor + carry;
    carry = Math.floor(x / two32);
    c = x - carry * two32;
    d = d * factor + carry;
  };
  let group = 0;
  let factor = 1;
  let digits = 0;
  let places = -1;
  for (; p < end; p++) {
    const byte = bytes[p]!;
    if (byte === 0x2e) {
      places = 0;
      continue;
    }
    const digit = byte - 0x30;
    if (places >= scale) {
      if (digit !== 0) return 'too precise';
      continue;
    }
    if (places >= 0) places++;
    if (digits > 0 || digit > 0) digits++;
    if (digits > precision) return 'too large';
    group = group * 10 + digit;
    factor *= 10;
    if (factor === 1_000_000) {
      times(factor, group);
      group = 0;
      factor = 1;
    }
  }
  if (factor > 1) times(factor, group);
  for (let missing = scale - Math.max(places, 0); missing > 0; missing--) {
    if (digits > 0 && ++digits > precision) return 'too large';
    times(10, 0);
  }
  limbs[0] = a;
  limbs[1] = b;
  limbs[2] = c;
  limbs[3] = d;
  if (negative) negate();
  return null;
}

function negate(): void {
  let carry = 1;
  for (let i = 0; i < 4; i++) {
    const x = (~limbs[i]! >>> 0) + carry;
    carry = x >= two32 ? 1 : 0;
    limbs[i] = x;
  }
}
