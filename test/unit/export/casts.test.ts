import { expect, it } from 'vitest';
import { exportedColumns } from '../../../core/export/casts.js';

const column = (name: string, type: string) => ({ name, type, precision: null, scale: null });

it('a name that stands twice is refused, because readers would lose one of the columns', () => {
  expect(() => exportedColumns([column('A', 'text'), column('A', 'fixed')], 'parquet')).toThrow(/Column A stands twice/);
});

it('a type without a rule is refused by its name', () => {
  expect(() => exportedColumns([column('A', 'file')], 'csv')).toThrow(/Column A has the type file, which cannot be exported/);
});

it.each([
  ['vector', 'TO_JSON("A"::ARRAY) AS "A"'],
  ['geography', 'ST_ASWKT("A") AS "A"'],
  ['decfloat', 'TO_VARCHAR("A") AS "A"'],
  ['map', 'TO_JSON(TO_VARIANT("A")) AS "A"'],
  ['fixed', '"A"'],
])('%s, which the local Snowflake does not have or keeps as it is, goes to Parquet as %s', (type, sql) => {
  expect(exportedColumns([column('A', type)], 'parquet')).toBe(sql);
});

it('a fraction has as many digits as the column', () => {
  expect(exportedColumns([{ ...column('A', 'timestamp_ntz'), scale: 3 }], 'csv')).toContain(`HH24:MI:SS.FF3'`);
  expect(exportedColumns([{ ...column('A', 'time'), scale: 0 }], 'csv')).toContain(`'HH24:MI:SS'`);
});

it('names are quoted, whatever is in them', () => {
  expect(exportedColumns([column(`it's "A"`, 'text')], 'json')).toBe(
    `OBJECT_CONSTRUCT_KEEP_NULL(\n  'it''s "A"', "it's ""A"""\n) AS "object"`,
  );
});
