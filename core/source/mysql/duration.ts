/** A TIME of the binary protocol: sign, days (4 bytes), hours, minutes, seconds, and microseconds where there are any. */
export function durationText(bytes: Uint8Array, view: DataView, at: number, length: number, fraction: number): string {
  const negative = length > 0 && bytes[at] !== 0;
  const hours = length > 0 ? view.getUint32(at + 1, true) * 24 + bytes[at + 5]! : 0;
  const [minutes, seconds] = length > 0 ? [bytes[at + 6]!, bytes[at + 7]!] : [0, 0];
  const micros = length > 8 ? view.getUint32(at + 8, true) : 0;
  const two = (value: number): string => String(value).padStart(2, '0');
  const places = fraction === 0 ? '' : `.${String(micros).padStart(6, '0').slice(0, fraction)}`;
  return `${negative ? '-' : ''}${two(hours)}:${two(minutes)}:${two(seconds)}${places}`;
}

/** Writes it as the server prints it, with `fraction` places. @returns how many bytes: at most 17 */
export function writeDuration(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  length: number,
  fraction: number,
  target: Uint8Array,
  offset: number,
): number {
  const text = durationText(bytes, view, at, length, fraction);
  for (let i = 0; i < text.length; i++) target[offset + i] = text.charCodeAt(i);
  return text.length;
}
