import { type Batch, growVector, type Vector } from '../../parquet/vector.js';
import { limbs, numericFault, unscaledLimbs } from './decoder-numeric.js';
import { body, epilogue, prologue } from './decoder-source.js';
import { writeUuid } from './decoder-text.js';
import type { Decoder } from './types.js';

/**
 * Answers what to do with a value that its column's type cannot hold, or throws. `row` is where the row's message begins in `bytes`,
 * `at` where the field does.
 * @throws FirnError ValueOutOfRange
 */
export type Unrepresentable = (column: number, bytes: Uint8Array, view: DataView, row: number, at: number) => 'null' | 'clamp';

/**
 * Decodes the rows of `bytes[position, end)` into the batch until it is full or no whole row is left; answers where it stopped.
 * `bytes` must be readable for `slackBytes` behind `end`.
 */
export type Decode = (bytes: Uint8Array, view: DataView, position: number, end: number, batch: Batch) => number;

/** Beyond this many columns V8 would not optimise one function of all of them, so each group of columns gets its own. */
const groupSize = 32;

/** Helpers that the generated code calls for what is rare or long. */
function support(decoders: readonly Decoder[], unrepresentable: Unrepresentable) {
  return {
    grow(vector: Vector, length: number, need: number): void {
      vector.length = length;
      growVector(vector, need);
    },
    uuid: writeUuid,
    limbs,
    unscaledLimbs,
    numericFault,
    /** True: clamp; false: NULL. */
    clamp: (column: number, bytes: Uint8Array, view: DataView, row: number, at: number): boolean =>
      unrepresentable(column, bytes, view, row, at) === 'clamp',
    width(column: number, length: number): never {
      throw new Error(`column ${column + 1}: ${length} bytes are no ${decoders[column]!.kind}`);
    },
    fields(count: number): never {
      throw new Error(`a row has ${count} fields, not ${decoders.length}`);
    },
  };
}

/**
 * A decoder made for the columns of one table: no dispatch per value, no object per row.
 * Only numbers from the decoders' data get into the code, no names.
 */
export function generateDecoder(decoders: readonly Decoder[], unrepresentable: Unrepresentable): Decode {
  const grouped = decoders.length > groupSize;
  const columns = decoders.map((_, i) => i);
  const groups: number[][] = [];
  for (let i = 0; i < columns.length; i += groupSize) groups.push(columns.slice(i, i + groupSize));

  const all = (part: (i: number, decoder: Decoder) => string, of: number[]): string => of.map((i) => part(i, decoders[i]!)).join('\n');
  const temporaries = 'let l = 0, q = 0, x = 0, y = 0, z = 0;';
  const groupCode = groups.map(
    (of, g) => `function group${g}(W, T, r, p, n, V) { ${temporaries}
      ${all(prologue, of)}
      ${all(body, of)}
      ${all(epilogue, of)}
      return p; }`,
  );
  const source = `
    ${grouped ? groupCode.join('\n') : ''}
    return function decode(W, T, r, end, batch) {
      const V = batch.vectors, capacity = batch.capacity, limit = batch.byteLimit - batch.sourceBytes, first = r;
      let n = batch.rows, p = 0; ${temporaries}
      ${grouped ? '' : all(prologue, columns)}
      while (n < capacity && r - first < limit) {
        if (end - r < 5 || W[r] !== 100) break;
        const next = r + 1 + T.getInt32(r + 1);
        if (next > end) break;
        const fields = T.getInt16(r + 5);
        if (fields !== ${decoders.length}) { if (fields === -1) { r = next; continue; } S.fields(fields); }
        p = r + 7;
        ${grouped ? groups.map((_, g) => `p = group${g}(W, T, r, p, n, V);`).join('\n') : all(body, columns)}
        if (p !== next) S.fields(-2);
        n++;
        r = next;
      }
      ${grouped ? '' : all(epilogue, columns)}
      batch.rows = n;
      batch.sourceBytes += r - first;
      return r;
    };`;
  return new Function('S', source)(support(decoders, unrepresentable)) as Decode;
}
