import { FirnError } from '../errors.js';
import type { Plan } from '../plan/plan.js';

/** What Snowflake says of a file that it does not load. */
export interface Rejection {
  /** Key in the raw bucket; null when it is not told. */
  file: string | null;
  row: number | null;
  /** As COPY_HISTORY and COPY print it: `"ORDERS"["ID":1]`, or the name alone. */
  column: string | null;
  message: string;
}

/** A LoadRejected that names file, row and column, and of which type the column's values are. */
export function loadRejected(plan: Pick<Plan, 'columns'>, { file, row, column, message }: Rejection, cause?: unknown): FirnError {
  const place = [file, row === null ? '' : `row ${row}`, column === null ? '' : describeColumn(plan, column)].filter(Boolean).join(', ');
  return new FirnError('LoadRejected', `Snowflake rejected ${place || 'a file'}: ${message}`, { cause });
}

function describeColumn({ columns }: Pick<Plan, 'columns'>, printed: string): string {
  const name = /\["(.*)":\d+\]$/.exec(printed)?.[1] ?? printed;
  const column = columns.find(({ target }) => target.toUpperCase() === name.toUpperCase());
  return `column ${name}${column ? ` (${column.sourceType} at the source, ${column.raw} in raw)` : ''}`;
}

/**
 * The error of a COPY INTO, behind what warehouseError says of its statement. It reads
 * `Numeric value 'x' is not recognized\n  File 'a.parquet', line 3, character 1\n  Row 3, column "T"["ID":1]\n  If you would like …`.
 */
export function readCopyError(text: string): Rejection {
  const line = text
    .replace(/\s+/g, ' ')
    .replace(/^Snowflake, query \S+: /, '')
    .replace(/ If you would like to continue loading.*$/, '');
  const file = / File '([^']*)', line \d+, character \d+/.exec(line);
  const place = / Row (\d+)(?:, column (.+))?$/.exec(line);
  const message = line.slice(0, Math.min(file?.index ?? line.length, place?.index ?? line.length)).trim();
  return { file: file?.[1] ?? null, row: place ? Number(place[1]) : null, column: place?.[2] ?? null, message };
}
