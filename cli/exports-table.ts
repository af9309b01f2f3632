import type { ExportPlan } from '../core/export/explain.js';
import type { ExportSummary } from '../core/export/summary.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { colors, number, printable, table } from './output.js';

/** One line per export, then why those failed that did. */
export function summaryTable({ exports, joined, error, status, export_id }: ExportSummary): string {
  const rows = exports.map((entry) => [
    entry.done === '✓' ? colors.green('✓') : entry.done === '✗' ? colors.red('✗') : '…',
    printable(entry.table),
    entry.file_type,
    number(entry.rows),
    number(entry.bytes),
    entry.seconds?.toFixed(1) ?? '',
    printable(entry.error ? entry.error.code : entry.s3_path),
  ]);
  const head = ['', 'table', 'type', 'rows', 'bytes', 'seconds', 'where, or why not'];
  const reasons = exports.flatMap(({ table: name, error: reason }) =>
    reason ? [`\n${colors.red(reason.code)}  ${printable(name)}: ${printable(reason.message)}`, `${colors.dim('→')} ${reason.action}`] : [],
  );
  const own = error && !exports.some((entry) => entry.error) ? [`\n${colors.red(error.code)}  ${printable(error.message)}`] : [];
  const last = [
    ...exports
      .filter(({ superseded }) => superseded)
      .map((entry) => `\n${colors.yellow('!')} ${entry.s3_path} holds what was read later; it stays`),
    ...(joined ? [`\n${colors.dim('·')} joined exports that another call had started`] : []),
    ...(status === 'FAILED' ? [`\nExecution ${export_id}: a redrive makes those again that failed.`] : []),
  ];
  return [table(head, rows, ['rows', 'bytes', 'seconds']), ...reasons, ...own, ...last].join('\n');
}

export const summaryExit = ({ status }: ExportSummary): ExitCode => (status === 'SUCCEEDED' ? exitCodes.ok : exitCodes.failed);

/** What each export would do. */
export function planTable(plans: ExportPlan[]): string {
  return plans
    .map(({ table: name, s3_path, statement, error }) => {
      const head = `${error ? colors.red('✗') : colors.green('✓')} ${colors.bold(printable(name))} → ${s3_path}`;
      if (error) return `${head}\n${colors.red(error.code)}  ${printable(error.message)}\n${colors.dim('→')} ${error.action}`;
      return `${head}\n${printable(statement!).replace(/^/gm, '  ')}`;
    })
    .join('\n\n');
}
