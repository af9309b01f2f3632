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

/** Left out one after the other where the terminal is too narrow; `--json` has them all. */
const leastNeeded = ['files', 'unchanged', 'deleted', 'mode', 'seconds', 'loaded', 'updated', 'inserted', 'started', 'read'];

/**
 * Receipts as a table, one line each, then what went wrong with what to do.
 * @param started whether to say when
 * @param width of the terminal; unlimited where there is none
 */
export function receiptsTable(receipts: Receipt[], { started = false, width = process.stdout.columns ?? Infinity } = {}): string {
  let columns = ['table', 'status', 'mode', ...Object.keys(counts), 'seconds', ...(started ? ['started'] : []), 'run'];
  const lines = receipts.map(cells);
  const widest = (column: string) => Math.max(column.length, ...lines.map((line) => line[column]!.length));
  for (const column of leastNeeded) {
    const needed = columns.reduce((sum, name) => sum + widest(name) + 2, -2);
    if (needed > width) columns = columns.filter((name) => name !== column);
  }
  const rows = receipts.map(({ status }, index) =>
    columns.map((column) => (column === 'status' ? statusColors[status](status) : lines[index]![column]!)),
  );
  return [table(columns, rows, [...Object.keys(counts), 'seconds']), ...receipts.flatMap(remarks)].join('\n');
}

function cells(receipt: Receipt): Record<string, string> {
  return {
    table: `${receipt.source}/${receipt.database}/${receipt.table}`,
    status: receipt.status,
    mode: receipt.mode ?? '',
    ...Object.fromEntries(Object.entries(counts).map(([name, key]) => [name, number(receipt[key])])),
    seconds: receipt.seconds?.toFixed(1) ?? '',
    started: receipt.started_at?.replace(/\.\d+Z$/, 'Z') ?? '',
    run: receipt.run_id ?? '',
  };
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
