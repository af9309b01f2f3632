import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Client } from 'pg';
import type { Column } from '../../../core/column.js';
import { describeTable, type TableDescription } from '../../../core/source/postgres/catalog.js';
import { type Extraction, extract } from '../../../core/source/postgres/extract.js';
import type { Copied } from '../../../core/source/postgres/extract-files.js';
import type { SourceSecret } from '../../../core/source/secret.js';
import { openLocalFile } from '../../../core/source/sink.js';
import type { Extracted } from '../../../core/source/source.js';

export const everything: Extraction['where'] = { rowFilter: null, cursor: null, chunk: null };

export function secretFor(port: number): SourceSecret {
  return { host: '127.0.0.1', port, user: 'postgres', password: '', database: 'postgres', sslmode: 'disable' };
}

export type ExtractedTable = Extracted & Copied & { folder: string; table: TableDescription };

type Settings = Parameters<typeof describeTable>[2];

const folders: string[] = [];

/** An empty folder that `removeFolders` removes. */
export function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'firn-extract-'));
  folders.push(folder);
  return folder;
}

/** Describes and extracts one table into a folder that `removeFolders` removes. */
export async function extractTable(
  client: Client,
  relation: { schema?: string; table: string },
  settings: Settings = {},
  more: Partial<Extraction> = {},
): Promise<ExtractedTable> {
  const full = { schema: 'public', ...relation };
  const table = await describeTable(client, full, settings);
  const folder = newFolder();
  const extracted = await extract({
    connection: secretFor((client as Client & { port: number }).port),
    relation: full,
    columns: table.columns,
    primaryKey: targets(table.columns, table.primaryKey),
    where: everything,
    constants: {},
    openFile: (part) => openLocalFile(folder, `${String(part).padStart(3, '0')}.parquet`),
    ...more,
  });
  return { ...extracted, folder, table };
}

const targets = (columns: Column[], names: string[]): string[] =>
  columns.filter(({ name }) => names.includes(name)).map(({ target }) => target);

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Rows of a query over the folder's Parquet files, named `t`, as DuckDB reads them. */
export async function duckdb(folder: string, sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(`CREATE VIEW t AS SELECT * FROM read_parquet('${folder}/*.parquet')`);
    return (await connection.runAndReadAll(sql)).getRowsJson() as unknown[][];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const python = `${process.env.FIRN_VENV ?? '.firn/venv'}/bin/python`;

/** What a Python expression over `t` (a pyarrow table of all files) and `files` (their pyarrow.parquet.ParquetFile) gives, as JSON. */
export function pyarrow<T>(folder: string, expression: string): T {
  const program = `
import glob, json, sys, pyarrow as pa, pyarrow.parquet as pq
files = [pq.ParquetFile(f) for f in sorted(glob.glob(sys.argv[1] + '/*.parquet'))]
t = pa.concat_tables([f.read() for f in files])
print(json.dumps(eval(sys.argv[2]), default=str))`;
  return JSON.parse(execFileSync(python, ['-c', program, folder, expression], { encoding: 'utf8', maxBuffer: 1 << 28 })) as T;
}
