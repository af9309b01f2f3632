import type { TypeCase } from './case.js';

/** Types of PostgreSQL's extensions. */
export const extensions: TypeCase[] = [
  { type: 'citext', sql: "'MiXed'", value: 'MiXed', staging: 'VARCHAR' },
  { type: 'citext', sql: "''", value: '', staging: 'VARCHAR' },
  { type: 'citext', sql: "'Ünï'", value: 'Ünï', staging: 'VARCHAR' },
  { type: 'ltree', sql: "'Top.Science.Astronomy'", value: 'Top.Science.Astronomy', staging: 'VARCHAR' },
  { type: 'ltree', sql: "''", value: '', staging: 'VARCHAR' },
  { type: 'lquery', sql: "'Top.*{1,2}.!a'", value: 'Top.*{1,2}.!a', staging: 'VARCHAR' },
  { type: 'ltxtquery', sql: "'a & b*'", value: 'a & b*', staging: 'VARCHAR' },
  { type: 'ltree[]', sql: "'{a.b,c}'", value: '["a.b","c"]', staging: 'VARIANT' },
  { type: 'cube', sql: "'(1,2),(3,4)'", value: '(1, 2),(3, 4)', staging: 'VARCHAR' },
  { type: 'cube', sql: "'(0.1)'", value: '(0.1)', staging: 'VARCHAR' },
  { type: 'seg', sql: "'1.50 .. 2.0'", value: '1.50 .. 2.0', staging: 'VARCHAR' },
  { type: 'isbn', sql: "'978-0-393-04002-9'", value: '0-393-04002-X', staging: 'VARCHAR' },
  { type: 'ean13', sql: "'4006381333931'", value: '400-638133393-1', staging: 'VARCHAR' },
  { type: 'query_int', sql: "'1&2'", value: '1 & 2', staging: 'VARCHAR' },
  { type: 'lo', sql: "'4294967295'", value: '4294967295', staging: 'NUMBER(38,0)' },
];
