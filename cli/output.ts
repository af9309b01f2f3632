import Table from 'cli-table3';
import picocolors from 'picocolors';

const wantsColors = (stream: NodeJS.WriteStream) => Boolean(stream.isTTY) && !process.env.NO_COLOR && process.env.TERM !== 'dumb';

/** Plain unless stdout is a terminal. */
export const colors = picocolors.createColors(wantsColors(process.stdout));
/** Plain unless stderr is a terminal. */
export const errorColors = picocolors.createColors(wantsColors(process.stderr));

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));
/** For what is not the answer: progress, hints. */
export const printAside = (text: string): void => void process.stderr.write(`${text}\n`);

/** Values come from databases: what a terminal would take as a command is shown as its code. Line ends and tabs stay. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`).replaceAll('\t', '  ');
}

/** Columns that line up, for reading and for `column`-wise tools: no frame, two blanks between. Columns named in `right` are numbers. */
export function table(head: string[], rows: string[][], right: string[] = []): string {
  const blank = {
    'top-mid': '',
    top: '',
    'top-left': '',
    'top-right': '',
    'bottom-mid': '',
    bottom: '',
    'bottom-left': '',
    'bottom-right': '',
  };
  const made = new Table({
    head: head.map((name) => colors.bold(name)),
    chars: { ...blank, left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
    colAligns: head.map((name) => (right.includes(name) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) made.push(row);
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

export const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : value.toLocaleString('en-US');
