import type { ExportRef } from './context.js';
import type { ExportItem, Unload } from './record.js';
import type { FileType } from './schema.js';

/** What stands where readers look for it, and what it says of itself. */

export const contentTypes: Record<FileType, string> = {
  parquet: 'application/vnd.apache.parquet',
  csv: 'text/csv; charset=utf-8',
  json: 'application/x-ndjson',
};

/** What an object says of the statement that made it. */
export const provenance = ({ exportId }: ExportRef, { queryId, submittedAt }: Unload, rows: number): Record<string, string> => ({
  'firn-export': exportId,
  'firn-query': queryId,
  'firn-as-of': submittedAt,
  'firn-rows': String(rows),
});

export type UnloadedItem = ExportItem & { unload: Unload; rows: number; bytes: number; files: number };

/** What now stands where readers look for it. */
export interface Published {
  bytes: number;
  /** What stands there was read after this export's data, so it stays. */
  superseded: boolean;
}

/** Nothing older overwrites anything newer: a slow statement may end after one that was submitted later. */
export const isOlder = ({ submittedAt }: Unload, there: string | undefined): boolean => there !== undefined && there > submittedAt;
