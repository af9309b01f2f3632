/**
 * PostgreSQL's numeric in binary form: uint16 digits, int16 weight, uint16 sign, int16 display scale, then base-10000 digits.
 * Source: PostgreSQL, src/backend/utils/adt/numeric.c, numeric_send.
 */

/** The value in decimal notation, for messages. */
export function numericText(view: DataView, at: number): string {
  const sign = view.getUint16(at + 4);
  if (sign === 0xc000) return 'NaN';
  if (sign === 0xd000) return 'Infinity';
  if (sign === 0xf000) return '-Infinity';
  const digits = view.getUint16(at);
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
