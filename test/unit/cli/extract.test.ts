import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { secretOf } from '../../../cli/extract.js';
import { duckdb } from '../source/extracting.js';
import { type RunningPostgres, startPostgres } from '../source/running-postgres.js';

let server: RunningPostgres;
const folder = mkdtempSync('/tmp/firn-cli-extract-');
beforeAll(async () => {
  server = await startPostgres();
  const client = await server.connect();
  await client.query('CREATE TABLE items AS SELECT i AS id, i % 5 AS kind, md5(i::text) AS h FROM generate_series(1, 1000) i');
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]): string[] => [
  '--import',
  'tsx',
  'bin/firn.ts',
  'extract',
  '--source',
  `postgresql://postgres@127.0.0.1:${server.port}/postgres`,
  ...args,
];

it('reads a table into a folder and answers one JSON object', async () => {
  const stdout = execFileSync(
    'node',
    run('--table', 'items', '--out', `${folder}/a`, '--columns', 'id,kind', '--where', 'kind < 3', '--codec', 'none', '--json'),
  );
  expect(JSON.parse(stdout.toString())).toEqual({
    rows: 600,
    bytes: expect.any(Number),
    files: ['items-000.parquet'],
    seconds: expect.any(Number),
    connections: 1,
    codec: 'none',
    peakRssBytes: expect.any(Number),
  });
  expect(await duckdb(`${folder}/a`, 'SELECT count(*), max(kind) FROM t')).toEqual([['600', 2]]);
  const said = `SELECT decode(key), decode(value) FROM parquet_kv_metadata('${folder}/a/items-000.parquet') WHERE decode(key) <> 'firn.schema'`;
  expect(Object.fromEntries(await duckdb(`${folder}/a`, said))).toEqual({
    'firn.source': 'PostgreSQL',
    'firn.database': 'postgres',
    'firn.table': 'items',
  });
});

it('says what is wrong, as JSON too, and ends with a failure', () => {
  const { status, stdout } = spawnSync('node', run('--table', 'nope', '--out', `${folder}/b`, '--json'));
  expect(JSON.parse(stdout.toString())).toMatchObject({
    error: { code: 'SourceTableMissing', message: expect.stringContaining('no table public.nope') },
  });
  expect(status).not.toBe(0);
  expect(readdirSync(folder)).not.toContain('b');
});

it('tells that the server refused connections, and reads all the same', async () => {
  const client = await server.connect();
  await client.query(`CREATE ROLE limited LOGIN CONNECTION LIMIT 1; CREATE TABLE large AS
    SELECT i AS id, repeat(md5(i::text), 4) AS v FROM generate_series(1, 120000) i; GRANT SELECT ON large TO limited`);
  const limited = ['--source', `postgresql://limited@127.0.0.1:${server.port}/postgres`, '--connections', '2'];
  const { stdout, stderr } = spawnSync('node', run('--table', 'large', '--out', `${folder}/e`, '--json', ...limited));
  expect(stderr.toString()).toMatch(/^Read by fewer connections: .*too many connections for role "limited"\n$/);
  expect(JSON.parse(stdout.toString())).toMatchObject({ rows: 120_000, connections: 1 });
});

it('a read that fails leaves no files, so that it can be repeated', async () => {
  const client = await server.connect();
  await client.query('CREATE TABLE long AS SELECT i AS id, md5(i::text) || md5((-i)::text) AS h FROM generate_series(1, 2000000) i');
  // 160 MB: the first file is whole when the last row fails.
  const failing = run('--table', 'long', '--out', `${folder}/d`, '--codec', 'none', '--where', '1 / (id - 2000000) <= 0');
  const { status, stderr } = spawnSync('node', failing);
  expect(stderr.toString()).toMatch(/^SourceQueryFailed .*division by zero/);
  expect(status).toBe(1);
  expect(readdirSync(`${folder}/d`)).toEqual([]);
});

it.each([
  { args: ['--table', 'nope'], exit: 2, said: /^SourceTableMissing .*\n→ Correct --table/ },
  { args: ['--table', 'items', '--columns', 'idd'], exit: 2, said: /^ConfigInvalid .*\n→ Correct --columns/ },
  { args: ['--table', 'items', '--where', 'kind <'], exit: 1, said: /^SourceQueryFailed .*\n→ Correct --where/ },
  { args: ['--table', 'items', '--out', '/dev/null'], exit: 2, said: /^FileUnusable {2}\/dev\/null: file already exists\n→ / },
  { args: ['--table', 'items', '--source', 'postgres://h/d?sslmode=full'], exit: 2, said: /^Usage {2}--source, sslmode: .*\n→ / },
])('$args: says which argument to correct', ({ args, exit, said }) => {
  const { status, stderr } = spawnSync('node', run('--out', `${folder}/c`, ...args));
  expect(stderr.toString()).toMatch(said);
  expect(status).toBe(exit);
});

it('takes connection strings as libpq does', () => {
  expect(secretOf('postgres://me:p%40ss@[::1]:6543/my%20db?sslmode=verify-full')).toEqual({
    host: '::1',
    port: 6543,
    user: 'me',
    password: 'p@ss',
    database: 'my db',
    sslmode: 'verify-full',
  });
});
