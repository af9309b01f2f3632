import { numericText } from './decoder-numeric.js';
import { writeUuid } from './decoder-text.js';

/** What the elements of an array are, whose JSON is made here; the numbers are those of the kernel `jsonArrays`. */
export const elementNumbers = { bool: 0, int2: 1, int4: 2, int8: 3, uuid: 4, numeric: 5, text: 6 } as const;
export type ArrayElement = keyof typeof elementNumbers;

/** PostgreSQL makes no longer text. */
const longest = 1 << 30;

/** Bytes of the JSON of an array in binary form, as far as there can be such a text. */
export function jsonLength(element: ArrayElement, bytes: Uint8Array, view: DataView, at: number): number {
  let length = 0;
  for (const token of tokens(element, bytes, view, at)) {
    length += Buffer.byteLength(token);
    if (length > longest) break;
  }
  return length;
}

/** The JSON of an array in binary form, for messages: the slow way. */
export function jsonText(element: ArrayElement, bytes: Uint8Array, view: DataView, at: number): string {
  return [...tokens(element, bytes, view, at)].join('');
}

function* tokens(element: ArrayElement, bytes: Uint8Array, view: DataView, at: number): Generator<string> {
  const dimensions = Array.from({ length: view.getInt32(at) }, (_, d) => view.getInt32(at + 12 + 8 * d));
  let from = at + 12 + 8 * dimensions.length;
  function* nested([count = 0, ...inner]: number[]): Generator<string> {
    yield '[';
    for (let i = 0; i < count; i++) {
      if (i > 0) yield ',';
      if (inner.length > 0) yield* nested(inner);
      else {
        const length = view.getInt32(from);
        yield length < 0 ? 'null' : elementText(element, bytes, view, from + 4, length);
        from += 4 + Math.max(length, 0);
      }
    }
    yield ']';
  }
  yield* nested(dimensions);
}

function elementText(element: ArrayElement, bytes: Uint8Array, view: DataView, at: number, length: number): string {
  switch (element) {
    case 'bool':
      return String(bytes[at] !== 0);
    case 'int2':
      return String(view.getInt16(at));
    case 'int4':
      return String(view.getInt32(at));
    case 'int8':
      return String(view.getBigInt64(at));
    case 'numeric': {
      const text = numericText(view, at);
      return /^-?\d/.test(text) ? text : JSON.stringify(text);
    }
    case 'uuid':
      return JSON.stringify(uuidText(bytes, at));
    case 'text':
      return JSON.stringify(Buffer.from(bytes.subarray(at, at + length)).toString());
  }
}

export function uuidText(bytes: Uint8Array, at: number): string {
  const out = new Uint8Array(36);
  writeUuid(out, 0, bytes, at);
  return Buffer.from(out).toString('latin1');
}
