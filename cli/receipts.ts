import { FirnError } from '../core/errors.js';
import type { Receipt } from '../core/receipt/receipt.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { colors, number, printable, table } from './output.js';

const statusColors: Record<Receipt['status'], (text: string) => string> = {
  SUCCEEDED: colors.green,
  RUNNING: colors.cyan,
  FAILED: colors.red,
  REJECTED: colors.red,
  SUPERSEDED: colors.yellow,
};

const counts = {
  read: 'rows_read',
  loaded: 'rows_loaded',
  inserted: 'rows_inserted',
  updated: 'rows_updated',
  unchanged: 'rows_unchanged',
  deleted: 'rows_deleted',
  files: 'files',
} as const;

/** Receipts as a table, one line each, then what went wrong with what to do. */
export function receiptsTable(receipts: Receipt[]): string {
  const head = ['table', 'status', 'mode', ...Object.keys(counts), 'seconds', 'run'];
  const rows = receipts.map((receipt) => [
    `${receipt.source}/${receipt.database}/${receipt.table}`,
    statusColors[receipt.status](receipt.status),
    receipt.mode ?? '',
    ...Object.values(counts).map((key) => number(receipt[key])),
    receipt.seconds?.toFixed(1) ?? '',
    receipt.run_id ?? '',
  ]);
  return [table(head, rows, [...Object.keys(counts), 'seconds']), ...receipts.flatMap(remarks)].join('\n');
}

function remarks({ table, error, warnings, joined }: Receipt): string[] {
  const lines = (warnings ?? []).map((warning) => `${colors.yellow('!')} ${table}: ${printable(warning)}`);
  if (joined) lines.push(`${colors.dim('·')} ${table}: joined a run that another call had started`);
  if (error) lines.push(`${colors.red(error.code)}  ${table}: ${printable(error.message)}`, `${colors.dim('→')} ${error.action}`);
  return lines.map((line, index) => (index === 0 ? `\n${line}` : line));
}

/** What to end with: nothing started, something failed, or all well. */
export function failureExit(receipts: Receipt[]): ExitCode {
  if (receipts.length > 0 && receipts.every(({ status }) => status === 'REJECTED')) return exitCodes.usage;
  return receipts.some(({ status }) => status === 'FAILED' || status === 'REJECTED') ? exitCodes.failed : exitCodes.ok;
}

/** The receipt of a run that was named. Throws its error when the run is unknown or cannot be retried: then it tells of no table. */
export function acceptedReceipt(receipt: Receipt): Receipt {
  if (receipt.status === 'REJECTED' && !receipt.table && receipt.error) throw new FirnError(receipt.error.code, receipt.error.message);
  return receipt;
}
