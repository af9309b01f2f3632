import type { ErrorRecord } from '../errors.js';
import { logPrefix } from '../raw-bucket/layout.js';
import type { RunRecord } from '../state/runs.js';
import type { Receipt } from './receipt.js';

/** Characters of a message that a receipt shows. */
const messageLimit = 2000;
/** A VARIANT of an external function's answer: the rest is in the log. Bytes. */
const receiptLimit = 16 * 1024;

/** The receipt of a run as its record stands, for one caller. */
export function receiptOf(record: RunRecord, { joined, bucket }: { joined: boolean; bucket: string }): Receipt {
  const { run, status, startedAt, finishedAt, error } = record;
  return limited({
    ...nothingYet,
    ...record.receipt,
    run_id: run.runId,
    status,
    source: run.source,
    database: run.database,
    table: run.table,
    mode: record.receipt.mode ?? record.mode,
    joined,
    started_at: startedAt,
    finished_at: finishedAt,
    seconds: finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000,
    error: error && shortened(error),
    execution_arn: record.executionArn,
    log: `s3://${bucket}/${logPrefix(run.runId)}`,
  });
}

const nothingYet = {
  read_as_of: null,
  rows_read: null,
  rows_loaded: null,
  rows_merged: null,
  rows_inserted: null,
  rows_updated: null,
  rows_unchanged: null,
  rows_superseded: null,
  rows_deleted: null,
  engine: null,
  engine_reason: null,
  files: null,
  bytes: null,
  watermark_before: null,
  watermark_after: null,
  held_back_by: null,
  warnings: [] as string[],
};

const shortened = (error: ErrorRecord): ErrorRecord =>
  error.message.length <= messageLimit ? error : { ...error, message: `${error.message.slice(0, messageLimit)}… (the rest is in the log)` };

/** Leaves out the last warnings until the receipt is small enough, and says how many. */
function limited(receipt: Receipt): Receipt {
  const { warnings } = receipt;
  const size = (kept: number) => {
    const left = warnings.length - kept;
    const shown = [...warnings.slice(0, kept), ...(left > 0 ? [`${left} more warnings are in the log`] : [])];
    return { ...receipt, warnings: shown };
  };
  let kept = warnings.length;
  while (kept > 0 && Buffer.byteLength(JSON.stringify(size(kept))) > receiptLimit) kept = Math.floor(kept / 2);
  return size(kept);
}
