import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { note } from '../../../core/export/note.js';
import { copyObject } from '../../../core/export/objects.js';
import { publish } from '../../../core/export/publish.js';
import { readItem, setItem } from '../../../core/export/record.js';
import { awaitUnload, unload } from '../../../core/export/unload.js';
import { createEveryType, everyTypeBack, fillEveryType } from './every-type.js';
import { bucket, type Exporting, startExporting } from './exporting.js';
import { readBack } from './readers.js';

let exporting: Exporting;
const numbers = (to: number) => `SELECT SEQ AS ID, 'row ' || SEQ AS LABEL, SEQ % 3 AS PART FROM GOLD.NUMBERS WHERE SEQ < ${to}`;
const text = async (key: string) => (await exporting.body(key)).bytes.toString();

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  exporting = await startExporting();
  const { warehouse } = exporting;
  await warehouse.query(createEveryType);
  await warehouse.query(fillEveryType);
  await warehouse.query('CREATE TABLE GOLD.NUMBERS (SEQ NUMBER(38,0))');
  const values = Array.from({ length: 3000 }, (_, n) => `(${n})`);
  await warehouse.query(`INSERT INTO GOLD.NUMBERS VALUES ${values.join(', ')}`);
}, 60_000);
afterAll(() => exporting?.stop());

describe('one object', () => {
  it('stands at exactly s3_path, says where it came from, and leaves nothing aside', async () => {
    const item = await exporting.run({ s3_path: 'exports/one/data.csv', file_type: 'csv', query: numbers(2) });
    expect(item).toMatchObject({ status: 'SUCCEEDED', rows: 2, files: 1, superseded: false });
    expect(await exporting.keys('exports/one/')).toEqual(['exports/one/data.csv']);
    expect(await exporting.keys('unload/')).toEqual([]);
    const { bytes, metadata, contentType } = await exporting.body('exports/one/data.csv');
    expect(bytes.toString()).toBe('ID,"LABEL",PART\n0,"row 0",0\n1,"row 1",1\n');
    expect(bytes.length).toBe(item.bytes);
    expect([metadata['firn-rows'], contentType]).toEqual(['2', 'text/csv; charset=utf-8']);
  });

  it('is the old one until the new one is whole', async () => {
    const config = { s3_path: 'exports/old.csv', file_type: 'csv', query: numbers(1) } as const;
    await exporting.run(config);
    const ref = await exporting.begin({ ...config, query: numbers(3) });
    await exporting.unloaded(ref);
    expect(await text('exports/old.csv')).toMatch(/row 0"/);
    expect(await text('exports/old.csv')).not.toMatch(/row 2"/);
    await publish(exporting.context, ref);
    expect(await text('exports/old.csv')).toMatch(/row 2"/);
  });

  it('each step may be done twice: one statement, one object', async () => {
    const ref = await exporting.begin({ s3_path: 'exports/twice.parquet' });
    const first = await unload(exporting.context, ref);
    expect(await unload(exporting.context, ref)).toEqual(first);
    await exporting.unloaded(ref);
    await exporting.unloaded(ref);
    await publish(exporting.context, ref);
    // Died after it had copied, before it said so.
    await setItem(exporting.context.state, ref.exportId, 0, { status: 'PENDING' });
    await publish(exporting.context, ref);
    expect(await readItem(exporting.context.state, ref.exportId, 0)).toMatchObject({ status: 'SUCCEEDED', rows: everyTypeBack.length });
    expect(await readBack('parquet', 'pyarrow', await exporting.download('exports/twice.parquet'))).toEqual(everyTypeBack);
  });

  it('nothing older overwrites anything newer', async () => {
    const config = { s3_path: 'exports/order.csv', file_type: 'csv' } as const;
    const slow = await exporting.begin({ ...config, query: numbers(1) });
    await exporting.unloaded(slow);
    const newer = await exporting.run({ ...config, query: numbers(2) });
    await publish(exporting.context, slow);
    expect(await readItem(exporting.context.state, slow.exportId, 0)).toMatchObject({ status: 'SUCCEEDED', superseded: true });
    expect((await exporting.body('exports/order.csv')).bytes.length).toBe(newer.bytes);
  });

  it('without what Snowflake says it wrote is not published', async () => {
    await exporting.run({ s3_path: 'exports/lost.csv', file_type: 'csv', query: numbers(1) });
    const ref = await exporting.begin({ s3_path: 'exports/lost.csv', file_type: 'csv', query: numbers(2) });
    const { unload: written } = await exporting.unloaded(ref);
    const { client } = exporting.context.exports;
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `unload/${written!.aside}`, Body: '' }));
    await expect(publish(exporting.context, ref)).rejects.toMatchObject({ code: 'ExportIncomplete' });
    expect(await text('exports/lost.csv')).toBe('ID,"LABEL",PART\n0,"row 0",0\n');
  });

  it.each([
    ['csv', 'ID,"LABEL",PART\n', '"ID","LABEL","PART"\n'],
    ['json', '', ''],
  ] as const)('of no rows is an empty %s, and replaces an old one', async (file_type, _, empty) => {
    const s3_path = `exports/empty.${file_type}`;
    await exporting.run({ s3_path, file_type, query: numbers(5) });
    expect(await exporting.run({ s3_path, file_type, query: numbers(0) })).toMatchObject({ status: 'SUCCEEDED', rows: 0 });
    expect(await text(s3_path)).toBe(empty);
  });

  it('of no rows has its columns in Parquet', async () => {
    await exporting.run({ s3_path: 'exports/empty.parquet', query: 'SELECT * FROM GOLD.EVERY_TYPE WHERE FALSE' });
    const file = await exporting.download('exports/empty.parquet');
    for (const reader of ['pyarrow', 'pandas', 'duckdb']) expect(await readBack('parquet', reader, file)).toEqual([]);
  });

  it('larger than one copy may be is copied in parts', async () => {
    const { client } = exporting.context.exports;
    const body = Buffer.alloc(11 * 1024 ** 2, 'firn ');
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'unload/large', Body: body }));
    const copy = {
      from: 'unload/large',
      to: 'exports/large',
      bytes: body.length,
      contentType: 'text/plain',
      metadata: { 'firn-rows': '1' },
    };
    await copyObject(exporting.context.exports, copy, 5 * 1024 ** 2, 5 * 1024 ** 2);
    const { bytes, metadata } = await exporting.body('exports/large');
    expect(bytes.equals(body)).toBe(true);
    expect(metadata['firn-rows']).toBe('1');
  });
});

describe('several files', () => {
  const manifest = async (folder: string) => JSON.parse(await text(`${folder}_manifest.json`));

  it('stand in the folder with a manifest, and those of the export before are gone', async () => {
    const config = { s3_path: 'exports/many/', max_file_size: 1_000_000 };
    await exporting.run({ ...config, query: numbers(10) });
    const before = await manifest('exports/many/');
    await exporting.context.exports.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'exports/many/README', Body: 'mine' }));
    const item = await exporting.run({ ...config, query: numbers(20) });
    const after = await manifest('exports/many/');
    expect([before.rows, after.rows, item.rows]).toEqual([10, 20, 20]);
    expect(await exporting.keys('exports/many/')).toEqual(
      [...after.files.map(({ key }: { key: string }) => key), 'exports/many/README', 'exports/many/_manifest.json'].sort(),
    );
    expect(await exporting.keys('unload/')).not.toContainEqual(expect.stringContaining(item.unload!.aside));
  });

  it('by partition stand in a folder for each value', async () => {
    const config = { s3_path: 'exports/parts/', partition_by: "'part=' || PART", query: numbers(9) };
    expect(await exporting.run(config)).toMatchObject({ status: 'SUCCEEDED', rows: 9, files: 3 });
    const keys = await exporting.keys('exports/parts/');
    expect(keys.map((key) => key.replace(/[^/]*\.snappy\.parquet$/, '*'))).toEqual([
      'exports/parts/_manifest.json',
      'exports/parts/part=0/*',
      'exports/parts/part=1/*',
      'exports/parts/part=2/*',
    ]);
  });

  it('of no rows are none', async () => {
    await exporting.run({ s3_path: 'exports/none/', max_file_size: 1_000_000, query: numbers(3) });
    await exporting.run({ s3_path: 'exports/none/', max_file_size: 1_000_000, query: numbers(0) });
    expect(await exporting.keys('exports/none/')).toEqual(['exports/none/_manifest.json']);
    expect(await manifest('exports/none/')).toMatchObject({ rows: 0, files: [] });
  });
});

describe('what is wrong with an export is said', () => {
  it.each([
    ['a table that is nowhere', { table: 'NOWHERE', query: null }, /There is no table NOWHERE in staging or gold: name its schema/],
    ['a query that does not parse', { query: 'SELECT * FRM T' }, /SQL compilation error/],
  ])('%s', async (_, config, message) => {
    const ref = await exporting.begin({ s3_path: 'exports/wrong', ...config });
    await expect(unload(exporting.context, ref)).rejects.toMatchObject({
      code: 'ExportQueryFailed',
      message: expect.stringMatching(message),
    });
  });

  it('a statement that fails on the way is forgotten, noted, and submitted anew', async () => {
    await exporting.warehouse.query('CREATE TABLE GOLD.TEXTS (T VARCHAR)');
    await exporting.warehouse.query("INSERT INTO GOLD.TEXTS VALUES ('no number')");
    const ref = await exporting.begin({ s3_path: 'exports/late.csv', file_type: 'csv', query: 'SELECT T::NUMBER AS N FROM GOLD.TEXTS' });
    await unload(exporting.context, ref);
    const failed = await (async () => {
      while (!(await awaitUnload(exporting.context, ref)).done);
    })().catch((error) => error);
    expect(failed).toMatchObject({ code: 'ExportQueryFailed' });
    const failure = { Error: failed.code, Cause: JSON.stringify({ errorType: failed.code, errorMessage: failed.message }) };
    await note(exporting.context, ref, 0, failure);
    expect(await readItem(exporting.context.state, ref.exportId, 0)).toMatchObject({
      status: 'FAILED',
      unload: null,
      error: { code: 'ExportQueryFailed', message: failed.message.replace(/\s+/g, ' ').trim() },
    });
    await exporting.warehouse.query("UPDATE GOLD.TEXTS SET T = '7'");
    await exporting.unloaded(ref);
    await publish(exporting.context, ref);
    expect(await text('exports/late.csv')).toBe('N\n7\n');
  });
});
