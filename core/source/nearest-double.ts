/** Every number of so many digits is told by the double nearest to it. */
const safeDigits = 15;

/**
 * The double nearest to a decimal number without exponent (`-12.50`), and whether it tells it: whether its shortest notation is the same
 * number. Beyond the range of doubles it is infinite, or zero.
 */
export function nearestDouble(text: string): { value: number; tells: boolean } {
  const value = Number(text);
  // A sign and a point among them.
  if (text.length <= safeDigits) return { value, tells: true };
  return { value, tells: Number.isFinite(value) && significant(text) === significant(String(value)) };
}

/** The digits of a number and the power of ten of the last one: the same for all notations of it. */
function significant(text: string): string {
  const [, whole = '', fraction = '', power = '0'] = /^-?(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text) ?? [];
  const all = `${whole}${fraction}`;
  const end = all.replace(/0+$/, '');
  return end === '' ? '0' : `${end.replace(/^0+/, '')}e${Number(power) - fraction.length + all.length - end.length}`;
}
