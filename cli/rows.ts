import type { ExactResult } from '../core/warehouse/snowflake.js';
import { colors, number, printable, table } from './output.js';

/** A cell is cut beyond these: a VARIANT may have 128 MB. */
const longestText = 200;
const mostLines = 40;
const longestLine = 160;
/** A table needs the widths of all its cells before its first line. */
const mostRows = 1000;

/** Rows of a statement, for people: NULL is not an empty text, a VARIANT is indented JSON, long values end in an ellipsis. */
export function rowsTable({ columns, rows }: ExactResult): string {
  if (rows.length === 0) return colors.dim('no rows');
  const body = table(
    columns.map(({ name }) => name),
    rows.slice(0, mostRows).map((row) => row.map((value, index) => cell(exact(value, columns[index]!.type)))),
    columns.filter(({ type }) => numeric.includes(type)).map(({ name }) => name),
  );
  const counted = rows.length === 1 ? '1 row' : `${number(rows.length)} rows`;
  return `${body}\n${colors.dim(rows.length > mostRows ? `${counted}; the first ${number(mostRows)} are shown, --json prints all` : counted)}`;
}

/** The rows as a list of objects with every digit of their numbers. A second column of a name gets the name with `_2`. */
export function rowsJson({ columns, rows }: ExactResult): string {
  const names: string[] = [];
  for (const { name } of columns) {
    const same = columns.slice(0, names.length).filter((other) => other.name === name).length;
    names.push(same === 0 ? name : `${name}_${same + 1}`);
  }
  const shown = rows.map((row) =>
    Object.fromEntries(
      row.map((value, index) => {
        const { type } = columns[index]!;
        return [names[index], numeric.includes(type) ? digits(value) : exact(value, type)];
      }),
    ),
  );
  return JSON.stringify(shown, null, 2);
}

const numeric = ['fixed', 'real'];

/** A date, or a time as ISO 8601 with the digits that its column has, without idle nanoseconds; Z unless it is of no zone. */
function exact(value: unknown, type: string): unknown {
  if (!(value instanceof Date)) return value;
  const text = value.toISOString();
  if (type === 'date') return text.replace(/T.*/, '');
  // What the driver adds to a Date.
  const { getNanoSeconds, getScale } = value as Date & { getNanoSeconds(): number; getScale(): number };
  const fraction = String(getNanoSeconds.call(value))
    .padStart(9, '0')
    .slice(0, getScale.call(value))
    .replace(/(?<=^\d{6})000$/, '');
  return `${text.replace(/\.\d+Z$/, '')}${fraction && `.${fraction}`}${type === 'timestamp_ntz' ? '' : 'Z'}`;
}

declare global {
  /** The types do not know it yet. */
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** NaN and infinity are no numbers of JSON. */
const digits = (value: unknown): unknown =>
  typeof value === 'string' && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? JSON.rawJSON(value) : value;

function cell(value: unknown): string {
  if (value === null || value === undefined) return colors.dim('NULL');
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
