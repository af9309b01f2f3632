import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  qualifiedName,
  quoteIdentifier,
  quoteLiteral,
  rawSchema,
  stagingSchema,
  targetTable,
} from '../../../core/warehouse/identifiers.js';

describe('identifiers', () => {
  it.each([
    ['ORDERS', '"ORDERS"'],
    ['a"b', '"a""b"'],
    ['"; DROP TABLE x; --', '"""; DROP TABLE x; --"'],
    ['größe', '"größe"'],
  ])('quotes %s', (name, quoted) => {
    expect(quoteIdentifier(name)).toBe(quoted);
  });

  it.each([[''], ['a\0b'], ['x'.repeat(256)]])('refuses what Snowflake cannot hold: %j', (name) => {
    expect(() => quoteIdentifier(name)).toThrow(/not a Snowflake identifier/);
  });

  it('keeps any name whole', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 100 }).filter((name) => !name.includes('\0')),
        (name) => {
          const quoted = quoteIdentifier(name);
          expect(quoted.slice(1, -1).replace(/""/g, '')).not.toContain('"');
          expect(quoted.slice(1, -1).replaceAll('""', '"')).toBe(name);
        },
      ),
    );
  });

  it('joins names', () => {
    expect(qualifiedName('RAW_CLR', 'a.b')).toBe('"RAW_CLR"."a.b"');
  });
});

describe('literals', () => {
  it.each([
    ["it's", "'it''s'"],
    ['a\\', "'a\\\\'"],
    ["\\'; DROP TABLE x; --", "'\\\\''; DROP TABLE x; --'"],
  ])('quotes %s', (text, quoted) => {
    expect(quoteLiteral(text)).toBe(quoted);
  });
});

it.each([
  ['orders', 'ORDERS'],
  ['sales.orders', 'SALES_ORDERS'],
])('names the table %s', (key, name) => {
  expect(targetTable(key)).toBe(name);
});

it('names the schemas of a database', () => {
  expect([rawSchema('clr'), stagingSchema('clr')]).toEqual(['RAW_CLR', 'STAGING_CLR']);
});
