import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, RedriveExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseExports } from '../../core/export/load.js';
import { diffSets, readSets, writeSets } from '../../core/export/store.js';
import type { ExportSummary } from '../../core/export/summary.js';
import { projectRoot } from '../../sandbox/paths.js';
import { createEveryType, everyTypeBack, fillEveryType } from '../unit/export/every-type.js';
import { readBack } from '../unit/export/readers.js';
import { useSandbox } from './fixture.js';

const firn = useSandbox();
const folder = mkdtempSync(join(tmpdir(), 'firn-exports-'));
let bucket: string;
let s3: S3Client;

const good = (name: string, file_type: string, more = {}) => ({ table: name, s3_path: `exports/${name}.${file_type}`, file_type, ...more });
const every = { query: 'SELECT * FROM GOLD.EVERY_TYPE' };
const fails = {
  sql: { ...good('BAD_SQL', 'parquet'), query: 'SELECT * FRM GOLD.EVERY_TYPE' },
  table: good('NO_SUCH_TABLE', 'csv'),
  value: { ...good('BAD_VALUE', 'json'), query: 'SELECT S::NUMBER AS N FROM GOLD.EVERY_TYPE' },
};
const ten = [
  good('P', 'parquet', every),
  good('C', 'csv', every),
  fails.sql,
  good('J', 'json', every),
  good('AGGREGATE', 'csv', { query: 'SELECT COUNT(*) AS N FROM GOLD.EVERY_TYPE' }),
  fails.table,
  good('NOTHING', 'parquet', { query: 'SELECT * FROM GOLD.EVERY_TYPE WHERE FALSE' }),
  fails.value,
  { table: 'FOLDER', s3_path: 'exports/folder/', max_file_size: 1_000_000, ...every },
  good('EVERY_TYPE', 'parquet'),
];

/** Has a file of exports count, as `firn config push` does. */
async function push(name: string, exports: unknown[]): Promise<void> {
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } });
  const store = { documents, table: firn.sandbox.tables.config };
  const sets = parseExports([{ file: `config/exports/${name}.yaml`, text: stringify({ exports }) }]);
  await writeSets(store, sets, diffSets(await readSets(store), sets, 'keep'));
}

const exportTables = async (name: string): Promise<ExportSummary> => {
  const [row] = await firn.warehouse.query('SELECT export_tables(?) AS summary', [name]);
  return row!.SUMMARY as ExportSummary;
};

const status = async (exportId: string): Promise<ExportSummary> => {
  const [row] = await firn.warehouse.query('SELECT export_status(?) AS summary', [exportId]);
  return row!.SUMMARY as ExportSummary;
};

async function redrive({ execution_arn, export_id }: ExportSummary): Promise<ExportSummary> {
  const client = new SFNClient({});
  const executionArn = execution_arn!;
  await client.send(new RedriveExecutionCommand({ executionArn }));
  await expect
    .poll(async () => (await client.send(new DescribeExecutionCommand({ executionArn }))).status, { timeout: 90_000, interval: 250 })
    .not.toMatch(/RUNNING|PENDING_REDRIVE/);
  return status(export_id);
}

const keys = async (prefix: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }))).Contents ?? []).map(({ Key }) => Key!);

async function download(key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const path = join(folder, key.replaceAll('/', '-'));
  writeFileSync(path, await Body!.transformToByteArray());
  return path;
}

const text = async (key: string) => (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body!.transformToString();
const outcome = ({ exports }: ExportSummary) => exports.map(({ done, table, rows, error }) => [done, table, rows, error?.code ?? null]);

beforeAll(async () => {
  s3 = new S3Client({});
  bucket = `firn-dev-exports-${firn.sandbox.aws.account}-${firn.sandbox.aws.region}`;
  await firn.warehouse.query(createEveryType);
  await firn.warehouse.query(fillEveryType);
});

describe('ten exports, three of which fail', () => {
  let summary: ExportSummary;
  const rows = everyTypeBack.length;

  beforeAll(async () => {
    await push('ten', ten.map((one) => (one === fails.value ? { ...one, query: 'SELECT 1 AS N' } : one))); // biome-ignore format: one line
    await exportTables('ten'); // an object stands where one is to fail
    await push('ten', ten);
    summary = await exportTables('config/exports/ten.yaml');
  });

  it('each stands alone: the summary has one entry each, with the reason', () => {
    expect(summary).toMatchObject({ name: 'ten', status: 'FAILED', joined: false, error: { code: 'ExportFailed' } });
    expect(outcome(summary)).toEqual([
      ['✓', 'P', rows, null],
      ['✓', 'C', rows, null],
      ['✗', 'BAD_SQL', null, 'ExportQueryFailed'],
      ['✓', 'J', rows, null],
      ['✓', 'AGGREGATE', 1, null],
      ['✗', 'NO_SUCH_TABLE', null, 'ExportQueryFailed'],
      ['✓', 'NOTHING', 0, null],
      ['✗', 'BAD_VALUE', null, 'ExportQueryFailed'],
      ['✓', 'FOLDER', rows, null],
      ['✓', 'EVERY_TYPE', rows, null],
    ]);
    for (const { bytes, seconds, error } of summary.exports)
      if (!error) expect([bytes, seconds]).toEqual([expect.any(Number), expect.any(Number)]);
  });

  it('what was made comes back equal, types included', async () => {
    expect(await readBack('parquet', 'pyarrow', await download('exports/P.parquet'))).toEqual(everyTypeBack);
    expect(await readBack('csv', 'duckdb', await download('exports/C.csv'))).toEqual(everyTypeBack);
    expect(await readBack('json', 'json', await download('exports/J.json'))).toEqual(everyTypeBack);
    expect(await readBack('parquet', 'duckdb', await download('exports/EVERY_TYPE.parquet'))).toEqual(everyTypeBack);
  });

  it('the old object stays where an export has failed, and nothing lies aside', async () => {
    expect(await text('exports/BAD_VALUE.json')).toBe('{"N":1}\n');
    expect(await keys('unload/')).toEqual([]);
  });

  it('a redrive makes those again that failed, as they are configured by then', async () => {
    await firn.warehouse.query("CREATE TABLE GOLD.NO_SUCH_TABLE AS SELECT 'here' AS WHAT");
    const before = await text('exports/AGGREGATE.csv');
    await firn.warehouse.query('INSERT INTO GOLD.EVERY_TYPE (N) SELECT 1');
    const again = await redrive(summary);
    expect(again.status).toBe('FAILED');
    expect(outcome(again).filter(([done]) => done === '✗').map(([, table]) => table)).toEqual(['BAD_SQL', 'BAD_VALUE']); // biome-ignore format: one line
    expect(await text('exports/NO_SUCH_TABLE.csv')).toBe('"WHAT"\n"here"\n');

    await push('ten', ten.map((one) => ([fails.sql, fails.value].includes(one as never) ? { ...one, query: 'SELECT 2 AS N' } : one))); // biome-ignore format: one line
    const last = await redrive(again);
    expect([last.status, last.error, outcome(last).filter(([done]) => done !== '✓')]).toEqual(['SUCCEEDED', null, []]);
    expect(await text('exports/BAD_VALUE.json')).toBe('{"N":2}\n');
    expect(await text('exports/AGGREGATE.csv')).toBe(before);
  });
});

describe('a call', () => {
  it('for exports that are under way joins them', async () => {
    await push('joined', [good('JOINED', 'csv', { query: 'SELECT 1 AS ONE' })]);
    const other = await firn.session();
    const ask = (session: typeof other) => session.query("SELECT export_tables('joined') AS summary");
    const [[first], [second]] = await Promise.all([ask(firn.warehouse), ask(other)]);
    const [a, b] = [first!.SUMMARY, second!.SUMMARY] as ExportSummary[];
    expect([a!.status, b!.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect([a!.joined, b!.joined].filter(Boolean).length).toBe(a!.export_id === b!.export_id ? 1 : 0);
  });

  it('by the task waits for nothing', async () => {
    await push('exports', [good('BY_TASK', 'csv', { query: 'SELECT 1 AS ONE' })]);
    await firn.warehouse.query('EXECUTE TASK FIRN.EXPORT_ALL');
    await expect.poll(() => text('exports/BY_TASK.csv').catch(() => null), { timeout: 60_000, interval: 250 }).toBe('ONE\n1\n');
  });
});

describe('firn export', () => {
  const run = (...args: string[]) =>
    execa(join(projectRoot, 'bin/firn.ts'), ['export', ...args], { cwd: folder, preferLocal: true, localDir: projectRoot, reject: false });

  it('shows what would be done, pushes and runs, and ends with 1 when an export has failed', async () => {
    const exports = [
      good('FINE', 'csv', { query: 'SELECT 1 AS ONE' }),
      { ...fails.table, table: 'STILL_NOWHERE', s3_path: 'exports/nowhere' },
    ];
    writeFileSync(join(folder, 'shell.yaml'), stringify({ exports }));
    const planned = await run('--config', 'shell.yaml', '--dry-run');
    expect(planned.exitCode).toBe(1);
    expect(planned.stdout).toMatch(/✓ FINE → exports\/FINE.csv\n {2}COPY INTO/);
    expect(planned.stdout).toMatch(/✗ STILL_NOWHERE → .*\nExportQueryFailed {2}There is no table STILL_NOWHERE/);
    expect(await keys('exports/FINE.csv')).toEqual([]);

    const failed = await run('--config', 'shell.yaml');
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toMatch(/✓ {2}FINE +csv +1 +6 +\d+\.\d {2}s3:/);
    expect(failed.stdout).toMatch(/✗ {2}STILL_NOWHERE +csv +\d+\.\d {2}ExportQueryFailed/);

    const one = await run('--config', 'shell.yaml', '--only', 'FINE', '--json');
    expect([one.exitCode, JSON.parse(one.stdout).exports]).toMatchObject([0, [{ table: 'FINE', rows: 1 }]]);
  });

  it('says what is wrong with the file before it runs anything', async () => {
    writeFileSync(join(folder, 'wrong.yaml'), stringify({ exports: [{ ...fails.sql, query: 'DROP TABLE T' }] }));
    const { exitCode, stderr } = await run('--config', 'wrong.yaml');
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/wrong.yaml:5:12 exports\[0\].query: begins with DROP/)]);
  });
});
