import { colors, printable, table } from './output.js';

/** A cell is cut beyond these: a VARIANT may have 128 MB. */
const longestText = 200;
const mostLines = 40;
const longestLine = 100;

/** Rows of a statement, for people: NULL is not an empty text, a VARIANT is indented JSON, long values end in an ellipsis. */
export function rowsTable(rows: Record<string, unknown>[]): string {
  if (rows.length === 0) return colors.dim('no rows');
  const columns = Object.keys(rows[0]!);
  const numbers = columns.filter((column) => rows.every((row) => row[column] === null || typeof row[column] === 'number'));
  const body = table(
    columns,
    rows.map((row) => columns.map((column) => cell(row[column]))),
    numbers,
  );
  return `${body}\n${colors.dim(rows.length === 1 ? '1 row' : `${rows.length} rows`)}`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return colors.dim('NULL');
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return cut(value.toString('hex'), longestText);
  const json = typeof value === 'string' ? parsed(value) : value;
  if (typeof json === 'object' && json !== null) return bounded(JSON.stringify(json, null, 2));
  const text = printable(String(value));
  return text.includes('\n') ? bounded(text) : cut(text, longestText);
}

/** Text that is a JSON object or list reads better indented. */
function parsed(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bounded(text: string): string {
  const lines = printable(text).split('\n');
  const shown = lines.slice(0, mostLines).map((line) => cut(line, longestLine));
  return [...shown, ...(lines.length > mostLines ? [`… ${lines.length - mostLines} more lines`] : [])].join('\n');
}

/** By characters, not by UTF-16 halves. */
function cut(text: string, longest: number): string {
  const chars = [...text];
  return chars.length > longest ? `${chars.slice(0, longest - 1).join('')}…` : text;
}
