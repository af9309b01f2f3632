import type { ParquetType } from '../column.js';
import { Kernels } from '../kernels/kernels.js';
import { type ColumnChunk, ColumnEncoder, type ColumnValues, emptyColumn } from './column-chunk.js';
import { type Physical, physicalOf, type Storage, storageWidth } from './physical.js';
import type { RowGroup } from './row-group.js';

/** One column of one row group: values without NULLs, packed as PLAIN pages want them, and one definition level per row. */
export interface Vector {
  storage: Storage;
  /** Values, without NULLs. */
  count: number;
  nulls: number;
  /** 1 where the row has a value, 0 where it is NULL; beyond the rows written it is 1. */
  levels: Uint8Array;
  bytes: Uint8Array;
  view: DataView;
  /** Same memory as `bytes`, for `w4` and `w8`. */
  words: Int32Array;
  /** Bytes in use, for `bytes`. */
  length: number;
}

const initialBytes = 1 << 16;
/** A buffer that one huge value has blown up beyond this is given back. */
const keptBytes = 64 << 20;

function memory(vector: Vector, size: number): void {
  const buffer = new ArrayBuffer(size);
  vector.bytes = new Uint8Array(buffer);
  vector.view = new DataView(buffer);
  vector.words = new Int32Array(buffer, 0, size >> 2);
}

export function createVector(storage: Storage, rows: number): Vector {
  const none = new ArrayBuffer(0);
  const vector: Vector = {
    storage,
    count: 0,
    nulls: 0,
    levels: new Uint8Array(rows).fill(1),
    bytes: new Uint8Array(none),
    view: new DataView(none),
    words: new Int32Array(none),
    length: 0,
  };
  memory(vector, storage === 'bytes' ? initialBytes : rows * storageWidth[storage]);
  return vector;
}

/** Makes room for `need` bytes in all. The first `vector.length` bytes survive. */
export function growVector(vector: Vector, need: number): void {
  const size = need > keptBytes ? need + (need >> 3) : Math.max(need, vector.bytes.length * 2);
  const old = vector.bytes;
  memory(vector, (size + 7) & ~7);
  vector.bytes.set(old.subarray(0, vector.length));
}

function clearVector(vector: Vector): void {
  if (vector.nulls > 0) vector.levels.fill(1);
  if (vector.storage === 'bytes' && vector.bytes.length > keptBytes) memory(vector, initialBytes);
  vector.count = 0;
  vector.nulls = 0;
  vector.length = 0;
}

let shared: Kernels | null = null;

/** All batches encode on one thread, a column at a time. */
function kernels(): Kernels {
  const none = (): never => {
    throw new Error('a batch holds decoded values');
  };
  shared ??= new Kernels({ clamp: none, nearestDouble: none, wrongWidth: none, wrongFields: none });
  return shared;
}

/** Puts a vector where its encoder finds it. */
function loadVector(
  target: Kernels,
  { storage, levels, bytes, count, nulls, length }: Vector,
  rows: number,
): Pick<ColumnValues, 'values' | 'levels'> {
  const { run } = target;
  run.beginVector(rows);
  if (nulls > 0) {
    const at = run.reserveVector(rows) >>> 0;
    target.bytes.set(levels.subarray(0, rows), at);
    run.packLevels(rows);
  }
  if (storage === 'bytes') {
    const at = run.reserveVector(length) >>> 0;
    target.bytes.set(bytes.subarray(0, length), at);
    run.adoptTexts(count);
  } else target.bytes.set(bytes.subarray(0, count * storageWidth[storage]), target.address('values'));
  return { values: target.address('values'), levels: target.address('bitmap') };
}

/** Rows on their way into one row group. Bounded by rows (`capacity`) and by bytes (`byteLimit`). */
export class Batch implements RowGroup {
  readonly vectors: Vector[];
  readonly physicals: Physical[];
  readonly capacity: number;
  rows = 0;
  /** Bytes of the source's rows in the batch. */
  sourceBytes = 0;
  readonly #encoders: ColumnEncoder[];
  readonly #columns: ColumnValues[];

  constructor(
    types: readonly ParquetType[],
    readonly byteLimit: number,
    maxRows = 262_144,
  ) {
    this.physicals = types.map(physicalOf);
    const rowWidth = this.physicals.reduce((sum, { storage }) => sum + storageWidth[storage] + 1, 0);
    this.capacity = Math.max(1024, Math.min(maxRows, Math.floor(byteLimit / Math.max(1, rowWidth)))) & ~7;
    this.vectors = this.physicals.map(({ storage }) => createVector(storage, this.capacity));
    this.#encoders = this.physicals.map((physical) => new ColumnEncoder(kernels(), physical));
    this.#columns = this.physicals.map(() => emptyColumn(0, 0));
  }

  *chunks(): Generator<ColumnChunk> {
    for (const [i, encoder] of this.#encoders.entries()) {
      const column = this.#columns[i]!;
      Object.assign(column, loadVector(kernels(), this.vectors[i]!, this.rows));
      encoder.add(column, this.vectors[i]!.count);
      yield encoder.encode(column, this.rows);
      encoder.release(column);
    }
  }

  get full(): boolean {
    return this.rows === this.capacity || this.sourceBytes >= this.byteLimit;
  }

  clear(): void {
    this.rows = 0;
    this.sourceBytes = 0;
    for (const vector of this.vectors) clearVector(vector);
  }
}
