/**
 * PostgreSQL's numeric in binary form: int16 digits, int16 weight, uint16 sign, int16 display scale, then base-10000 digits.
 * Source: PostgreSQL, src/backend/utils/adt/numeric.c, numeric_send.
 */

const two32 = 4294967296;

/** Why a value has no place in a DECIMAL(precision, scale). */
export type NumericFault = 'too large' | 'too precise' | null;

/** Whether the finite value at `at` fits exactly. */
export function numericFault(view: DataView, at: number, precision: number, scale: number): NumericFault {
  const digits = view.getInt16(at);
  const weight = view.getInt16(at + 2);
  let first = 0;
  while (first < digits && view.getInt16(at + 8 + 2 * first) === 0) first++;
  if (first === digits) return null;
  const lead = view.getInt16(at + 8 + 2 * first);
  const leadDigits = lead > 999 ? 4 : lead > 99 ? 3 : lead > 9 ? 2 : 1;
  if (4 * (weight - first) + leadDigits > precision - scale) return 'too large';
  for (let k = first; k < digits; k++) {
    // The digit's last decimal place stands `below` places below the last place of the type.
    const below = -4 * (weight - k) - scale;
    const digit = view.getInt16(at + 8 + 2 * k);
    if (below >= 4 ? digit !== 0 : below > 0 && digit % 10 ** below !== 0) return 'too precise';
  }
  return null;
}

/** The unscaled value as four 32-bit limbs, least significant first, two's complement. The value must fit. */
export const limbs = new Uint32Array(4);

/** Fills `limbs` with value × 10^scale. No BigInt: limb × 10000 + carry stays below 2^53. */
export function unscaledLimbs(view: DataView, at: number, scale: number): void {
  const digits = view.getInt16(at);
  const last = view.getInt16(at + 2) + (scale >> 2);
  const part = scale & 3;
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
  for (let k = 0; k <= last; k++) times(10_000, k < digits ? view.getInt16(at + 8 + 2 * k) : 0);
  if (part > 0) {
    const next = last + 1;
    const digit = next >= 0 && next < digits ? view.getInt16(at + 8 + 2 * next) : 0;
    times(10 ** part, Math.floor(digit / 10 ** (4 - part)));
  }
  limbs[0] = a;
  limbs[1] = b;
  limbs[2] = c;
  limbs[3] = d;
  if (view.getUint16(at + 4) === 0x4000) negate();
}

function negate(): void {
  let carry = 1;
  for (let i = 0; i < 4; i++) {
    const x = (~limbs[i]! >>> 0) + carry;
    carry = x >= two32 ? 1 : 0;
    limbs[i] = x;
  }
}

/** The value in decimal notation, for messages. */
export function numericText(view: DataView, at: number): string {
  const sign = view.getUint16(at + 4);
  if (sign === 0xc000) return 'NaN';
  if (sign === 0xd000) return 'Infinity';
  if (sign === 0xf000) return '-Infinity';
  const digits = view.getInt16(at);
  const weight = view.getInt16(at + 2);
  const scale = view.getInt16(at + 6);
  const group = (k: number): string => String(k >= 0 && k < digits ? view.getInt16(at + 8 + 2 * k) : 0).padStart(4, '0');
  let whole = '';
  for (let k = 0; k <= weight; k++) whole += group(k);
  let fraction = '';
  for (let k = weight + 1; fraction.length < scale; k++) fraction += group(k);
  const text = `${whole.replace(/^0+(?=\d)/, '') || '0'}${scale > 0 ? `.${fraction.slice(0, scale)}` : ''}`;
  return sign === 0x4000 ? `-${text}` : text;
}
