import { jsonLength, jsonText, uuidText } from './decoder-array.js';
import { byteLimit } from './decoder-limits.js';
import { numericText } from './decoder-numeric.js';
import type { Decoder } from './types.js';

const epochMs = Date.UTC(2000, 0, 1);

/** One field as text for an error's message: the slow way, used once. */
export function fieldText(decoder: Decoder, bytes: Uint8Array, view: DataView, at: number, length: number): string {
  switch (decoder.kind) {
    case 'bool':
      return String(bytes[at] === 1);
    case 'int2':
      return String(view.getInt16(at));
    case 'int4':
      return String(view.getInt32(at));
    case 'int8':
      return String(view.getBigInt64(at));
    case 'uint4':
      return String(view.getUint32(at));
    case 'uint8':
      return String(view.getBigUint64(at));
    case 'float4':
      return String(view.getFloat32(at));
    case 'float8':
      return String(view.getFloat64(at));
    case 'numeric':
    case 'numericText':
    case 'numericDouble':
      return numericText(view, at).slice(0, 100);
    case 'date':
      return dayText(view.getInt32(at));
    case 'time':
      return `${view.getBigInt64(at)} microseconds after midnight`;
    case 'timestamp':
      return timestampText(view.getBigInt64(at));
    case 'uuid':
      return uuidText(bytes, at);
    case 'array': {
      const length = jsonLength(decoder.element, bytes, view, at);
      return length > byteLimit(decoder)
        ? `${length} bytes`
        : Buffer.from(jsonText(decoder.element, bytes, view, at)).toString('utf8', 0, 100);
    }
    case 'jsonb':
    case 'bytes':
    case 'binary':
      if (length > byteLimit(decoder)) return `${length} bytes`;
      return Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(length, 100)).toString('utf8');
  }
}

/** PostgreSQL's dates reach beyond JavaScript's: those are told in days from 2000-01-01. */
function dayText(days: number): string {
  if (days === 0x7fffffff) return 'infinity';
  if (days === -0x80000000) return '-infinity';
  const time = epochMs + days * 86_400_000;
  return Math.abs(time) > 8.64e15 ? `2000-01-01 ${days < 0 ? '-' : '+'} ${Math.abs(days)} days` : isoText(time).slice(0, -14);
}

function timestampText(micros: bigint): string {
  if (micros === 0x7fffffffffffffffn) return 'infinity';
  if (micros === -0x8000000000000000n) return '-infinity';
  const time = epochMs + Number(micros / 1000n);
  return Math.abs(time) > 8.64e15 ? `2000-01-01 ${micros < 0n ? '-' : '+'} ${Math.abs(Number(micros))} microseconds` : isoText(time);
}

/** ISO 8601 with astronomical years: year 0 is 1 BC. */
const isoText = (time: number): string => new Date(time).toISOString();
