import { mkdir, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import getPort from 'get-port';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { mysqlUrl, startMysql } from '../sandbox/mysql.js';
import { projectRoot } from '../sandbox/paths.js';
import { stopService } from '../sandbox/service.js';
import { bundleFirn } from './bundle.js';
import { measured } from './extract.js';
import { median } from './figures.js';

export interface MysqlOptions {
  sizes: number[];
  rounds: number;
}

type Usage = Awaited<ReturnType<typeof measured>>;

interface Figures {
  rows: number;
  reader: string;
  runs: Usage[];
}

const folder = join(projectRoot, '.firn/bench-mysql');
const logins = { admin: 'bench', firn: 'bench' };

/** MariaDB's own engine of sequences makes the numbers. */
const tableSql = (rows: number): string => `DROP TABLE IF EXISTS orders;
CREATE TABLE orders (id bigint PRIMARY KEY, customer int, status varchar(10), price decimal(12,2), rate double, placed date, changed timestamp(6),
  note varchar(80), open tinyint(1), code char(36));
INSERT INTO orders SELECT seq, seq % 9999, ELT(1 + seq % 3, 'new', 'paid', 'sent'), seq / 7, seq / 3, DATE '2020-01-01' + INTERVAL seq % 2000 DAY,
  TIMESTAMP '2020-01-01 00:00:00' + INTERVAL seq SECOND, CONCAT(MD5(seq), MD5(seq + 1)), seq % 2, UUID() FROM seq_1_to_${rows};
ANALYZE TABLE orders`;

const checksums = 'count(*), sum(id), sum(customer), sum(price), sum(length(note)), min(code), max(code)';

/** Reads one table of 10 columns at several sizes, one connection, and writes docs/performance-mysql.md. */
export async function benchMysql({ sizes, rounds }: MysqlOptions): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const port = await getPort();
  const server = await startMysql(folder, port, logins, () => {});
  const source = mysqlUrl(port, 'root', logins);
  const connection = await mysql.createConnection({ uri: source, multipleStatements: true, supportBigNumbers: true });
  try {
    const bundle = await bundleFirn(folder, 'firn-mysql');
    const stream = fileURLToPath(new URL('./peers/mysql2_stream.mjs', import.meta.url));
    const all: Figures[] = [];
    const before = loadavg()[0]!;
    for (const rows of sizes) {
      await connection.query(tableSql(rows));
      const expected = await checksumsOfTable(connection);
      const [floor, firn]: [Figures, Figures] = [
        { rows, reader: 'mysql2, rows as arrays, thrown away', runs: [] },
        { rows, reader: 'Firn, one connection', runs: [] },
      ];
      all.push(floor, firn);
      for (let round = 0; round < rounds; round++) {
        floor.runs.push(await measured([process.execPath, stream, source, 'orders']));
        const out = join(folder, 'out');
        await rm(out, { recursive: true, force: true });
        await mkdir(out);
        firn.runs.push(await measured([process.execPath, bundle, source, 'orders', out]));
        const found = await checksumsOfFiles(out);
        if (found !== expected) throw new Error(`wrote ${found} instead of ${expected}`);
        console.log(`${rows} rows, round ${round + 1}:`, floor.runs.at(-1), firn.runs.at(-1));
      }
    }
    await writeFile(
      join(projectRoot, 'docs/performance-mysql.md'),
      report(all, rounds, [before, loadavg()[0]!], await versionOf(connection)),
    );
  } finally {
    await connection.end();
    await stopService(server);
    await rm(folder, { recursive: true, force: true });
  }
}

async function versionOf(connection: Connection): Promise<string> {
  const [[row]] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
  return row!.version as string;
}

async function checksumsOfTable(connection: Connection): Promise<string> {
  const [[row]] = await connection.query<RowDataPacket[][]>({ sql: `SELECT ${checksums} FROM orders`, rowsAsArray: true });
  return row!.map(String).join(' ');
}

async function checksumsOfFiles(out: string): Promise<string> {
  const connection = await (await DuckDBInstance.create()).connect();
  try {
    const names = checksums.replace(/\((\w+)\)/g, (_, name: string) => `(${name.toUpperCase()})`);
    const reader = await connection.runAndReadAll(`SELECT ${names} FROM read_parquet('${join(out, '*.parquet')}')`);
    return reader.getRows()[0]!.map(String).join(' ');
  } finally {
    connection.closeSync();
  }
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

function report(all: Figures[], rounds: number, load: [number, number], version: string): string {
  const machine = cpus()[0]!.model.trim();
  const lines = all.map(({ rows, reader, runs }) => {
    const of = (key: keyof Usage): number => median(runs.map((run) => run[key]));
    const cells = [
      whole(rows),
      reader,
      of('seconds').toFixed(2),
      whole(rows / of('seconds')),
      of('cpu').toFixed(2),
      whole(of('rss') / 2 ** 20),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `# Performance of the extraction of MySQL

Written by \`npm run bench -- mysql\` on ${new Date().toISOString().slice(0, 10)}; every figure was measured by that run.

- Machine: ${machine}, ${cpus().length} processors shared by server and reader. Load ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after.
- Source: ${version} on 127.0.0.1, no TLS; a table of 10 columns (integers, text, decimal, double, date, timestamp(6), tinyint(1), a uuid as text).
- Target: Parquet on the local disk, zstd level 1, statistics. Each output was read back by DuckDB and its checksums compared with the table's.
- Medians of ${rounds} rounds, the two one after another. Seconds are those of the whole process, its start included; processor seconds and
  peak memory are the reader's alone.
- mysql2 with rows as arrays is the fastest way to read that its package has; it converts and writes nothing.

| rows | | seconds | rows/s | CPU s | peak MiB |
|---:|---|---:|---:|---:|---:|
${lines.join('\n')}
`;
}
