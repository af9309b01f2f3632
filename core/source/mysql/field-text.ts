import type { WireColumn } from './decoder-source.js';
import { durationText } from './duration.js';
import { columnType, type Field, isTemporal } from './wire.js';

const two = (value: number): string => String(value).padStart(2, '0');

/** One field as text for an error's message: the slow way, used once. */
export function fieldText({ type, decoder }: WireColumn, bytes: Uint8Array, view: DataView, { at, length }: Field): string {
  const unsigned = decoder.kind === 'integer' && decoder.unsigned;
  switch (type) {
    case columnType.tiny:
      return String(unsigned ? view.getUint8(at) : view.getInt8(at));
    case columnType.short:
    case columnType.year:
      return String(unsigned ? view.getUint16(at, true) : view.getInt16(at, true));
    case columnType.long:
    case columnType.int24:
      return String(unsigned ? view.getUint32(at, true) : view.getInt32(at, true));
    case columnType.longlong:
      return String(unsigned ? view.getBigUint64(at, true) : view.getBigInt64(at, true));
    case columnType.float:
      return String(view.getFloat32(at, true));
    case columnType.double:
      return String(view.getFloat64(at, true));
    case columnType.time:
      return durationText(bytes, view, at, length, length > 8 ? 6 : 0);
  }
  if (isTemporal(type)) return dateText(bytes, view, at, length, type === columnType.date);
  if (decoder.kind === 'bits') return `0x${Buffer.from(bytes.subarray(at, at + length)).toString('hex')}`;
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(length, 100));
  if (decoder.kind === 'converted' && shown[0] === 0xff) return `0x${shown.toString('hex').slice(2)}, not all of it characters`;
  return decoder.kind === 'binary' || decoder.kind === 'geometry' ? `0x${shown.toString('hex')}` : shown.toString('utf8');
}

function dateText(bytes: Uint8Array, view: DataView, at: number, length: number, dateOnly: boolean): string {
  const date =
    length < 4 ? '0000-00-00' : `${String(view.getUint16(at, true)).padStart(4, '0')}-${two(bytes[at + 2]!)}-${two(bytes[at + 3]!)}`;
  if (dateOnly) return date;
  const [hours, minutes, seconds] = length < 7 ? [0, 0, 0] : [bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!];
  const micros = length > 7 ? `.${String(view.getUint32(at + 7, true)).padStart(6, '0')}` : '';
  return `${date} ${two(hours)}:${two(minutes)}:${two(seconds)}${micros}`;
}
