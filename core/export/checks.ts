import type { KeyPath } from '../config/problem.js';
import { type ExportConfig, exportPrefix, isFolder } from './schema.js';
import { queryProblem } from './select-only.js';

/** Something wrong with an export beyond its schema. `path` counts from the export. */
export interface ExportProblem {
  path: KeyPath;
  message: string;
}

/** What the schema cannot say of one export. */
export function checkExport(config: ExportConfig): ExportProblem[] {
  const problems: ExportProblem[] = [];
  const wrong = (key: keyof ExportConfig, message: string | null) => {
    if (message !== null) problems.push({ path: [key], message });
  };
  wrong('s3_path', pathProblem(config));
  if (config.query !== null) wrong('query', queryProblem(config.query));
  else wrong('table', tableProblem(config.table));
  if (config.partition_by !== undefined) wrong('partition_by', expressionProblem(config.partition_by));
  if (config.null_value !== '' && config.file_type !== 'csv') wrong('null_value', 'only a CSV needs it');
  // A partitioned CSV has no header, and the one column of a JSON file is the object.
  if (config.partition_by !== undefined && config.file_type !== 'parquet') wrong('partition_by', 'only parquet can be partitioned');
  return problems;
}

function pathProblem(config: ExportConfig): string | null {
  const path = config.s3_path;
  if (path.startsWith('s3://')) return `expected a key inside the bucket, such as ${exportPrefix}orders/data.parquet, not a URL`;
  if (!path.startsWith(exportPrefix)) return `"${path}" is outside of ${exportPrefix}, where all exports stand`;
  const parts = path.replace(/\/$/, '').split('/');
  const odd = parts.find((part) => ['', '.', '..'].includes(part));
  if (odd !== undefined) return `"${path}" has a part "${odd}": expected names between the slashes`;
  const [sign] = /[^A-Za-z0-9!_.*'()=+@~ /-]/u.exec(path) ?? [];
  if (sign) return `"${path}" holds "${sign}": expected letters, digits, blanks and ! - _ . * ' ( ) = + @ ~`;
  if (isFolder(config)) return path.endsWith('/') ? null : 'several files need a folder: end it with /';
  return path.endsWith('/') ? 'is a folder, but the export is one object: name it, or set max_file_size' : null;
}

/** Names as in SQL: unquoted ones, or quoted ones as they are. */
const part = String.raw`(?:[A-Za-z_][\w$]*|"(?:[^"]|"")+")`;
const tablePattern = new RegExp(`^${part}(?:\\.${part}){0,2}$`);

function tableProblem(table: string): string | null {
  if (tablePattern.test(table)) return null;
  return `"${table}" is no name of a table: expected TABLE, SCHEMA.TABLE or DATABASE.SCHEMA.TABLE, or a query beside it`;
}

/** An expression has to stay between the parentheses of PARTITION BY, like a query between those of FROM. */
function expressionProblem(sql: string): string | null {
  return queryProblem(`SELECT ${sql}\n`) ?? (sql.includes(';') ? 'holds a semicolon' : null);
}

/** Parts of a name of a table: unquoted ones in upper case, as Snowflake reads them. */
export function nameParts(table: string): string[] {
  return [...table.matchAll(new RegExp(part, 'g'))].map(([text]) =>
    text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toUpperCase(),
  );
}

/** The first pair of exports that would write the same objects, as indices. */
export function meetingPaths(paths: string[]): { index: number; other: number; message: string } | null {
  for (const [index, path] of paths.entries()) {
    const same = paths.indexOf(path);
    if (same < index) return { index, other: same, message: `"${path}" is the s3_path of another export` };
    const other = paths.findIndex((folder, at) => at !== index && folder.endsWith('/') && path.startsWith(folder));
    if (other >= 0) return { index, other, message: `"${path}" lies in "${paths[other]}", which is another export's folder` };
  }
  return null;
}
