import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import pg from 'pg';
import type { Table } from './tables.js';

/** Expressions that PostgreSQL and DuckDB write alike, whatever type a peer has made of the column. */
const expressions: Record<Table, string[]> = {
  lineitem: [
    'count(*)',
    'sum(CAST(l_orderkey AS decimal(38,0)))',
    'sum(CAST(l_extendedprice AS decimal(38,2)))',
    'sum(length(l_comment))',
    'min(CAST(l_shipdate AS date))',
    'max(l_comment)',
  ],
  firenibble: [
    'count(*)',
    'sum(CAST(f1 AS decimal(38,0)))',
    'sum(CAST(f3 AS decimal(38,0)))',
    'min(f8)',
    'max(f15)',
    'max(CAST(f10 AS date))',
  ],
  orders_wide: [
    'count(*)',
    'sum(CAST(id AS decimal(38,0)))',
    'sum(CAST(amount AS decimal(38,4)))',
    'count(payload)',
    'sum(length(note))',
    'count(updated_at)',
    'min(CAST(uid AS varchar(36)))',
  ],
};

const statement = (table: Table, from: string): string =>
  `SELECT ${expressions[table].map((expression, i) => `CAST(${expression} AS varchar) AS c${i}`).join(', ')} FROM ${from}`;

/** Row count and checksums of the table itself. PostgreSQL orders text by bytes, as DuckDB does. */
export async function checksumsOfTable(source: string, table: Table): Promise<string[]> {
  const client = new pg.Client({ connectionString: source });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, string>>(statement(table, table));
    return Object.values(rows[0]!);
  } finally {
    await client.end();
  }
}

/** The same of all Parquet files below a folder. */
export async function checksumsOfFiles(folder: string, table: Table): Promise<string[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    // dlt keeps tables of its own, whose folders begin with `_dlt`.
    const files = (await connection.runAndReadAll(`SELECT file FROM glob('${join(folder, '**/*.parquet')}')`))
      .getRows()
      .map(([file]) => String(file))
      .filter((file) => !file.includes('/_dlt') && !file.includes('/.state/'));
    const list = files.map((file) => `'${file}'`).join(', ');
    const reader = await connection.runAndReadAll(statement(table, `read_parquet([${list}])`));
    return reader.getRows()[0]!.map(String);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
