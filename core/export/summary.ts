import type { ErrorRecord } from '../errors.js';
import type { ExportItem, ExportRecord } from './record.js';
import type { FileType } from './schema.js';

/** What export_tables answers: one entry per export. */
export interface ExportSummary {
  export_id: string;
  name: string;
  status: ExportRecord['status'];
  /** Whether the call joined exports that another had started. */
  joined: boolean;
  started_at: string;
  finished_at: string | null;
  seconds: number | null;
  exports: ExportEntry[];
  execution_arn: string | null;
  error: ErrorRecord | null;
}

export interface ExportEntry {
  /** ✓, ✗, or … while it is under way. */
  done: '✓' | '✗' | '…';
  table: string;
  /** URL of the object or of the folder. */
  s3_path: string;
  file_type: FileType;
  rows: number | null;
  bytes: number | null;
  files: number | null;
  seconds: number | null;
  /** What stands there was read later than this export's data. */
  superseded: boolean;
  error: ErrorRecord | null;
}

const secondsBetween = (from: string | null, to: string | null): number | null =>
  from && to ? Math.round((Date.parse(to) - Date.parse(from)) / 100) / 10 : null;

/** Long messages are in the record of the execution. */
const short = (error: ErrorRecord | null): ErrorRecord | null => error && { ...error, message: error.message.slice(0, 400) };

const marks = { SUCCEEDED: '✓', FAILED: '✗', PENDING: '…' } as const;

export function summaryOf(
  record: ExportRecord,
  items: ExportItem[],
  { joined, bucket }: { joined: boolean; bucket: string },
): ExportSummary {
  return {
    export_id: record.exportId,
    name: record.name,
    status: record.status,
    joined,
    started_at: record.startedAt,
    finished_at: record.finishedAt,
    seconds: secondsBetween(record.startedAt, record.finishedAt),
    exports: items.map(({ config, status, rows, bytes, files, startedAt, finishedAt, superseded, error }) => ({
      done: marks[status],
      table: config.table,
      s3_path: `s3://${bucket}/${config.s3_path}`,
      file_type: config.file_type,
      rows,
      bytes,
      files,
      seconds: secondsBetween(startedAt, finishedAt),
      superseded,
      error: short(error),
    })),
    execution_arn: record.executionArn,
    error: short(record.error),
  };
}
