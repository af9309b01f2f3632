import type { ColumnChunk } from './column-chunk.js';

/** Rows on their way into one row group of a file. */
export interface RowGroup {
  readonly rows: number;
  /** Its columns in the file's order, encoded one at a time as they are asked for. */
  chunks(): Iterable<ColumnChunk>;
  /** Makes it empty, to be filled again. */
  clear(): void;
}
