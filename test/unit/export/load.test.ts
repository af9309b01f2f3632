import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigInvalid } from '../../../core/config/problem.js';
import { loadExports, parseExports } from '../../../core/export/load.js';

/** The keys of one export, from line 2 on. */
const one = (...lines: string[]) => `exports:\n  - ${lines.join('\n    ')}\n`;
const orders = ['table: ORDERS', 's3_path: exports/orders/data.parquet'];

function refusal(text: string): string[] {
  try {
    parseExports([{ file: 'exports.yaml', text }]);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.message.split('\n');
  }
  throw new Error('was accepted');
}

describe('a file of exports is refused with line, column, key and what is expected', () => {
  it.each<[string, string, string]>([
    ['an empty file', '', 'exports.yaml:1:1 the file is empty: expected the key "exports"'],
    ['no exports', 'exports: []\n', 'exports.yaml:1:10 exports: needs at least one entry'],
    ['a key that is misspelt', one(...orders, 'filetype: csv'), 'exports.yaml:4:5 exports[0].filetype: unknown key "filetype". Did you mean "file_type"?'],
    ['a key of tables', one(...orders, 'mode: full'), 'exports.yaml:4:5 exports[0].mode: unknown key "mode": expected one of table, s3_path, file_type, query, max_file_size, partition_by, null_value'],
    ['a secret', one(...orders, 'password: x'), 'exports.yaml:4:5 exports[0].password: unknown key "password": expected one of table, s3_path, file_type, query, max_file_size, partition_by, null_value'],
    ['no s3_path', one('table: ORDERS'), 'exports.yaml:2:5 exports[0]: the key "s3_path" is missing'],
    ['a file type that there is not', one(...orders, 'file_type: parket'), 'exports.yaml:4:16 exports[0].file_type: expected one of parquet, csv, json; got "parket". Did you mean "parquet"?'],
    ['a path elsewhere', one('table: A', 's3_path: raw/a.parquet'), 'exports.yaml:3:14 exports[0].s3_path: "raw/a.parquet" is outside of exports/, where all exports stand'],
    ['a path that climbs out', one('table: A', 's3_path: exports/../raw/a'), 'exports.yaml:3:14 exports[0].s3_path: "exports/../raw/a" has a part "..": expected names between the slashes'],
    ['a path with a gap', one('table: A', 's3_path: exports//a'), 'exports.yaml:3:14 exports[0].s3_path: "exports//a" has a part "": expected names between the slashes'],
    ['a URL', one('table: A', 's3_path: s3://bucket/exports/a'), 'exports.yaml:3:14 exports[0].s3_path: expected a key inside the bucket, such as exports/orders/data.parquet, not a URL'],
    ['a folder for one object', one('table: A', 's3_path: exports/a/'), 'exports.yaml:3:14 exports[0].s3_path: is a folder, but the export is one object: name it, or set max_file_size'],
    ['an object for several files', one(...orders, 'max_file_size: 100000000'), 'exports.yaml:3:14 exports[0].s3_path: several files need a folder: end it with /'],
    ['a query that changes something', one(...orders, 'query: DELETE FROM T'), 'exports.yaml:4:12 exports[0].query: begins with DELETE: expected one SELECT, or WITH … SELECT'],
    ['two statements', one(...orders, 'query: SELECT 1; SELECT 2'), 'exports.yaml:4:12 exports[0].query: more than one statement: "SELECT 2" stands behind the semicolon'],
    ['a table that is no name', one('table: A; DROP TABLE B', 's3_path: exports/a'), 'exports.yaml:2:12 exports[0].table: "A; DROP TABLE B" is no name of a table: expected TABLE, SCHEMA.TABLE or DATABASE.SCHEMA.TABLE, or a query beside it'],
    ['a partition that leaves its parentheses', one('table: A', 's3_path: exports/a/', 'partition_by: A) HEADER = (B'), 'exports.yaml:4:19 exports[0].partition_by: the parenthesis at position 9 closes nothing'],
    ['a partitioned CSV', one('table: A', 's3_path: exports/a/', 'file_type: csv', 'partition_by: A'), 'exports.yaml:5:19 exports[0].partition_by: only parquet can be partitioned'],
    ['a null_value without a CSV', one(...orders, "null_value: '\\N'"), 'exports.yaml:4:17 exports[0].null_value: only a CSV needs it'],
  ])('%s', (_, text, said) => {
    expect(refusal(text)).toEqual([said]);
  }); // biome-ignore format: one case a line

  it('two exports of one object, in one file or in two', () => {
    const text = `${one(...orders)}  - { table: B, s3_path: exports/orders/data.parquet }\n`;
    expect(refusal(text)).toEqual([
      'exports.yaml:4:26 exports[1].s3_path: "exports/orders/data.parquet" is the s3_path of another export (at exports.yaml:3)',
    ]);
    const files = ['a.yaml', 'b.yaml'].map((file) => ({ file, text: one(...orders) }));
    expect(() => parseExports(files)).toThrow(/b.yaml:3:14 .* is the s3_path of another export \(at a.yaml:3\)/);
  });

  it("an object in another export's folder", () => {
    const text = `${one(...orders)}  - { table: B, s3_path: exports/orders/, max_file_size: 100000000 }\n`;
    expect(refusal(text)[0]).toMatch(/"exports\/orders\/data.parquet" lies in "exports\/orders\/", which is another export's folder/);
  });

  it('a file that is not there', async () => {
    await expect(loadExports(['config/nowhere.yaml'])).rejects.toThrow('config/nowhere.yaml:1:1 there is no such file');
  });
});

describe('a file of exports', () => {
  it('of the plainest shape has the defaults', () => {
    expect(parseExports([{ file: 'config/daily.yaml', text: one(...orders) }])).toEqual([
      {
        name: 'daily',
        path: 'config/daily.yaml',
        exports: [{ table: 'ORDERS', s3_path: 'exports/orders/data.parquet', file_type: 'parquet', query: null, null_value: '' }],
      },
    ]);
  });

  it('of the demo is accepted', async () => {
    const [set] = await loadExports(['config/exports.yaml']);
    expect(set!.exports.map(({ file_type }) => file_type)).toEqual(['parquet', 'csv', 'json']);
  });

  it('is named by its file, of which there is one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'firn-exports-'));
    writeFileSync(join(folder, 'a.yaml'), one(...orders));
    const files = ['x/daily.yaml', 'y/daily.yaml'].map((file, i) => ({ file, text: one('table: A', `s3_path: exports/${i}`) }));
    expect(() => parseExports(files)).toThrow(/x\/daily.yaml has the same name, daily/);
  });
});
