import { compiled } from './compiled.js';

/** What the kernels ask of their host. */
export interface Host {
  /** A value that its column's type cannot hold: whether it becomes the nearest one, else NULL. Throws if neither. */
  clamp(row: number, field: number): number;
  /** The double nearest to the numeric in a field. */
  nearestDouble(row: number, field: number): number;
  /** A field of another width than its type has. Throws. */
  wrongWidth(length: number): void;
  /** A row with another number of fields than columns. Throws. */
  wrongFields(count: number): void;
}

interface Global {
  value: number;
}

/** Decodes fields; answers how many are not NULL. */
type Gather<More extends number[] = []> = (
  offsets: number,
  rows: number,
  values: number,
  levels: number,
  first: number,
  ...more: More
) => number;

/**
 * Exports of assembly/index.ts; each is described in the file that it comes from. Addresses come as signed numbers: `address` and `allocate`
 * make them positive.
 */
interface Exports {
  memory: { buffer: ArrayBuffer };
  allocate(bytes: number): number;
  release(address: number): void;
  beginVector(rows: number): void;
  reservePage(bytes: number): void;
  releasePage(): void;
  values: Global;
  bitmap: Global;
  indices: Global;
  page: Global;

  scanRows(from: number, end: number, stop: number, offsets: number, capacity: number, columns: number, widths: number): number;
  scannedRows: Global;
  setScannedRows(rows: number): void;

  booleans: Gather;
  int2s: Gather;
  words: Gather;
  doubleWords: Gather;
  unsigned4s: Gather;
  unsigned8s: Gather;
  dates: Gather;
  times: Gather;
  timestamps: Gather;
  /** More: precision, scale, bytes of a value. */
  decimals: Gather<[number, number, number]>;
  /** More: precision, scale. */
  wideDecimals: Gather<[number, number]>;
  numericDoubles: Gather;
  /** More: the longest one that goes into the column. */
  texts: Gather<[number]>;
  /** More: arena, its budget. `madeRows` tells how many rows it has done. */
  uuids: Gather<[number, number]>;
  numericTexts: Gather<[number, number]>;
  /** More: arena, its budget, the longest text that goes into the column, what the elements are. */
  jsonArrays: Gather<[number, number, number, number]>;
  madeRows: Global;
  bringNear(at: number, count: number, arena: number): void;
  createArena(): number;
  clearArena(arena: number): void;
  arenaBytes(arena: number): number;
  markArena(arena: number): void;
  returnToMark(arena: number): void;

  reserveVector(bytes: number): number;
  packLevels(rows: number): void;
  adoptTexts(count: number): number;

  dictionary4(values: number, count: number): number;
  dictionary8(values: number, count: number): number;
  entries: Global;
  createTextDictionary(bytes: number): number;
  clearTextDictionary(state: number): void;
  releaseTextDictionary(state: number): void;
  textDictionarySize(state: number): number;
  textDictionaryEntries(state: number): number;
  textDictionaryPays(state: number, count: number): number;
  enterTexts(state: number, values: number, count: number, skip: number, arena: number): number;
  leaveTexts(state: number, values: number, count: number): void;

  bounds1(at: number, count: number): void;
  bounds4(at: number, count: number): void;
  bounds8(at: number, count: number): void;
  bounds16(at: number, count: number): void;
  boundsOfFloats(at: number, count: number): number;
  boundsOfDoubles(at: number, count: number): number;
  boundsOfTexts(at: number, count: number, skip: number, low: number, high: number): void;
  least: Global;
  greatest: Global;
  leastText: Global;
  greatestText: Global;

  packIndices(indices: number, count: number, width: number): void;
  packBooleans(values: number, from: number, to: number): void;
  copyTexts(at: number, count: number, skip: number): number;
  slicePage(levels: number, row: number, rows: number, width: number, limit: number): void;
  sliceTexts(values: number, levels: number, row: number, rows: number, value: number, skip: number, limit: number): void;
  slicedRows: Global;
  slicedValues: Global;
  slicedBytes: Global;
}

declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
};

let compiledModule: object | null = null;

/** One instance: its memory, and the functions on it. Everything in it happens on the calling thread. */
export class Kernels {
  readonly run: Exports;
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));

  constructor(host: Host) {
    compiledModule ??= new WebAssembly.Module(Buffer.from(compiled, 'base64'));
    this.run = new WebAssembly.Instance(compiledModule, { host }).exports as Exports;
  }

  /** The memory, until something is allocated: then it may be another array. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.run.memory.buffer) this.#bytes = new Uint8Array(this.run.memory.buffer);
    return this.#bytes;
  }

  get view(): DataView {
    if (this.#view.buffer !== this.run.memory.buffer) this.#view = new DataView(this.run.memory.buffer);
    return this.#view;
  }

  allocate(bytes: number): number {
    return this.run.allocate(bytes) >>> 0;
  }

  /** The address that a global holds. */
  address(name: 'values' | 'bitmap' | 'indices' | 'page' | 'entries' | 'least' | 'greatest' | 'leastText' | 'greatestText'): number {
    return this.run[name].value >>> 0;
  }
}
