import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bareQuery, queryProblem } from '../../../core/export/select-only.js';

describe('one query is', () => {
  it.each([
    'SELECT 1',
    'select * from t;',
    '  -- about\n/* this; */ WITH a AS (SELECT 1) SELECT * FROM a ; -- done',
    '(SELECT 1) UNION ALL (SELECT 2)',
    'SELECT \';\' AS a, $$;)$$ AS b, ";" FROM t',
    "SELECT 'it''s', 'back\\'s', 'a\\\\' FROM t",
    "SELECT v['a']:b.c::VARCHAR FROM t, LATERAL FLATTEN(INPUT => t.v) AS f QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) = 1",
    'SELECT * FROM t AT(OFFSET => -60) // as of a minute ago',
    'SELECT a -> b FROM t',
    'SELECT 1 AS "delete"',
  ])('%s', (sql) => {
    expect(queryProblem(sql)).toBeNull();
  });
});

describe('refused, with the reason', () => {
  it.each([
    ['', /empty/],
    ['-- only this', /empty/],
    [';', /empty/],
    ['DELETE FROM t', /begins with DELETE/],
    ['CALL firn.build_gold()', /begins with CALL/],
    ['(DELETE FROM t)', /begins with DELETE/],
    ['SELECT 1; DELETE FROM t', /more than one statement.*DELETE/],
    ['SELECT 1;;', /more than one statement/],
    ["SELECT '\\'; DELETE FROM t", /' at position 8 is never closed/],
    ['SELECT 1 ->> DELETE FROM t', /chains/],
    ['SELECT 1) FILE_FORMAT = (TYPE = CSV', /position 9 closes nothing/],
    ['SELECT (1', /1 parenthesis is never closed/],
    ['SELECT 1 /* open', /\/\* at position 10 is never closed/],
    ['SELECT 1 /* /* */ ) */', /comment within a comment/],
    ['SELECT $$a', /\$\$ at position 8/],
    ['SELECT "a', /" at position 8/],
    ['SELECT 1 -- a\r) x (', /carriage return/],
  ])('%s', (sql, reason) => {
    expect(queryProblem(sql)).toMatch(reason);
  });
});

it('what stands in texts, names and comments never matters', () => {
  const hidden = fc.oneof(
    fc.string().map((text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`),
    fc.string().map((text) => `"${text.replaceAll('"', '""')}"`),
    fc.string().map((text) => `/*${text.replaceAll('/', ' ')}*/`),
    fc.string().map((text) => `--${text.replaceAll('\n', ' ')}\n`),
  );
  fc.assert(
    fc.property(fc.array(hidden), (parts) => {
      const sql = `SELECT 1, ${parts.join(', ')} `.replaceAll('\r', ' ');
      expect(queryProblem(sql)).toBeNull();
      expect(queryProblem(`${sql}; DROP TABLE t`)).toMatch(/more than one statement/);
      expect(queryProblem(`${sql})`)).toMatch(/closes nothing/);
    }),
  );
});

it('the closing semicolon is not part of the query, nor is what follows it', () => {
  expect(bareQuery("SELECT ';' ; -- done\n")).toBe("SELECT ';'");
  expect(bareQuery('SELECT 1 -- note')).toBe('SELECT 1 -- note');
});
