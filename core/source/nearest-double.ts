/** A text so short is of a number that the double nearest to it tells: it has 15 digits at most, and none is far from the point. */
const safeLength = 15;

/**
 * The double nearest to a decimal number without exponent (`-12.50`), and whether it tells it: whether its shortest notation is the same
 * number. Beyond the range of doubles it is infinite, or zero.
 */
export function nearestDouble(text: string): { value: number; tells: boolean } {
  const value = Number(text);
  if (text.length <= safeLength) return { value, tells: true };
  return { value, tells: Number.isFinite(value) && significant(text) === significant(String(value)) };
}

const zero = 0x30;

/** The digits of a number and the power of ten of the last one: the same for all notations of it. */
function significant(text: string): string {
  const [, whole = '', fraction = '', power = '0'] = /^-?(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text) ?? [];
  const digits = whole + fraction;
  let from = 0;
  let to = digits.length;
  // By hand, since there may be thousands of zeros, before which a regular expression would begin anew at each.
  while (to > 0 && digits.charCodeAt(to - 1) === zero) to--;
  while (from < to && digits.charCodeAt(from) === zero) from++;
  return to === 0 ? '0' : `${digits.slice(from, to)}e${Number(power) - fraction.length + digits.length - to}`;
}
