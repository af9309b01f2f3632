import { describe, expect, it } from 'vitest';
import { bundleSql } from '../../../sql/bundle.js';
import { parseModel } from '../../../sql/gold-model.js';
import { renderSql, splitStatements } from '../../../sql/statements.js';

describe('splitStatements', () => {
  it('splits at the semicolons that end lines', () => {
    expect(splitStatements("-- about a; b\nSELECT ';' AS A;\n\nSELECT\n  1;\n")).toEqual(["-- about a; b\nSELECT ';' AS A", 'SELECT\n  1']);
  });
  it.each(['SELECT 1', 'SELECT 1; -- done;'])('refuses %j', (text) => {
    expect(() => splitStatements(text)).toThrow();
  });
});

describe('renderSql', () => {
  const sql = bundleSql().setup.apiPrefix;
  it('puts names and URLs in place', () => {
    expect(renderSql(sql, { apiIntegration: 'FIRN_DEV_API', apiUrl: 'https://x.amazonaws.com/prod' })).toBe(
      "ALTER API INTEGRATION FIRN_DEV_API SET API_ALLOWED_PREFIXES = ('https://x.amazonaws.com/prod/')",
    );
  });
  it.each([
    [{ apiIntegration: 'X' }],
    [{ apiIntegration: 'X; DROP DATABASE Y', apiUrl: 'https://x' }],
    [{ apiIntegration: 'X', apiUrl: "https://x') --" }],
  ])('refuses %j', (values) => {
    expect(() => renderSql(sql, values as Record<string, string>)).toThrow(/no usable value/);
  });
});

describe('parseModel', () => {
  const text = '-- model: M\n-- kind: history\n-- key: A, B\n-- reads: STAGING_CLR.T, GOLD.N\nSELECT 1 AS A;\n';
  it('reads the header and the query', () => {
    expect(parseModel(text)).toMatchObject({
      name: 'M',
      kind: 'history',
      key: ['A', 'B'],
      reads: ['STAGING_CLR.T', 'GOLD.N'],
      query: 'SELECT 1 AS A',
    });
  });
  it.each([
    ['a name', text.replace('-- model: M\n', ''), /no name/],
    ['a kind', text.replace('history', 'view'), /kind must be/],
    ['a key for a history', text.replace('-- key: A, B\n', ''), /needs a key/],
    ['a table that the query reads', text.replace('SELECT 1 AS A', 'SELECT A FROM STAGING_CLR.OTHER'), /does not name STAGING_CLR.OTHER/],
  ])('misses %s', (_, broken, message) => {
    expect(() => parseModel(broken)).toThrow(message);
  });
});

it('bundles everything that is deployed', () => {
  const bundle = bundleSql();
  expect(bundle.migrations.map(({ version }) => version)).toEqual(bundle.migrations.map((_, index) => index + 1));
  expect(bundle.procedures.map(({ sql }) => sql.split('\n')[0])).toEqual([
    'CREATE OR REPLACE PROCEDURE FIRN.PREPARE_TABLE(PLAN_JSON VARCHAR, FENCE FLOAT)',
    'CREATE OR REPLACE PROCEDURE FIRN.PROCESS_TABLE(RUN_ID VARCHAR, FENCE FLOAT)',
    'CREATE OR REPLACE PROCEDURE FIRN.PROCESS_TABLE(SOURCE VARCHAR, DATABASE_NAME VARCHAR, TABLE_NAME VARCHAR)',
    'CREATE OR REPLACE PROCEDURE FIRN.BUILD_GOLD()',
    'CREATE OR REPLACE PROCEDURE FIRN.PRUNE_RAW()',
  ]);
  for (const { sql } of bundle.procedures) {
    // Owner's rights: Snowflake refuses these there.
    expect(sql).not.toMatch(/ALTER SESSION|\bUSE (DATABASE|SCHEMA|WAREHOUSE|ROLE)\b|TEMPORARY|TEMP TABLE/);
    expect(sql.length).toBeLessThan(60_000);
  }
  expect(bundle.gold.length).toBeGreaterThan(3);
});
