import type { TypeCase } from './case.js';

/** Ranges and multiranges. */
export const ranges: TypeCase[] = [
  { type: 'int4range', sql: "'[1,5)'", value: '[1,5)', staging: 'VARCHAR' },
  { type: 'int4range', sql: "'empty'", value: 'empty', staging: 'VARCHAR' },
  { type: 'int4range', sql: "'(,5]'", value: '(,6)', staging: 'VARCHAR' },
  { type: 'int4range', sql: "'[1,)'", value: '[1,)', staging: 'VARCHAR' },
  { type: 'int4range', sql: "'(,)'", value: '(,)', staging: 'VARCHAR' },
  { type: 'int4range', sql: "'[2147483646,2147483647)'", value: '[2147483646,2147483647)', staging: 'VARCHAR' },
  { type: 'int8range', sql: "'[-9223372036854775808,1)'", value: '[-9223372036854775808,1)', staging: 'VARCHAR' },
  { type: 'numrange', sql: "'[1.10,2.200]'", value: '[1.10,2.200]', staging: 'VARCHAR' },
  { type: 'numrange', sql: "'(1,NaN]'", value: '(1,NaN]', staging: 'VARCHAR' },
  { type: 'numrange', sql: "'[,Infinity)'", value: '(,Infinity)', staging: 'VARCHAR' },
  { type: 'daterange', sql: "'[2024-01-01,2024-12-31]'", value: '[2024-01-01,2025-01-01)', staging: 'VARCHAR' },
  { type: 'daterange', sql: "'[2024-01-01,infinity)'", value: '[2024-01-01,infinity)', staging: 'VARCHAR' },
  { type: 'daterange', sql: "'[0044-03-15 BC,]'", value: '["0044-03-15 BC",)', staging: 'VARCHAR' },
  {
    type: 'tsrange',
    sql: "'[2024-01-01 00:00,2024-01-02 00:00:00.5)'",
    value: '["2024-01-01 00:00:00","2024-01-02 00:00:00.5")',
    staging: 'VARCHAR',
  },
  { type: 'tstzrange', sql: "'[2024-01-01 00:00+01,)'", value: '["2023-12-31 23:00:00+00",)', staging: 'VARCHAR' },
  { type: 'tstzrange', sql: "'[-infinity,infinity]'", value: '[-infinity,infinity]', staging: 'VARCHAR' },
  { type: 'int4multirange', sql: "'{[1,5),[7,9)}'", value: '{[1,5),[7,9)}', staging: 'VARCHAR' },
  { type: 'int4multirange', sql: "'{}'", value: '{}', staging: 'VARCHAR' },
  { type: 'nummultirange', sql: "'{[1.5,2],(3,)}'", value: '{[1.5,2],(3,)}', staging: 'VARCHAR' },
  { type: 'datemultirange', sql: "'{[2024-01-01,2024-01-03)}'", value: '{[2024-01-01,2024-01-03)}', staging: 'VARCHAR' },
  {
    type: 'tstzmultirange',
    sql: "'{[2024-01-01 00:00+01,2024-01-02 00:00+01)}'",
    value: '{["2023-12-31 23:00:00+00","2024-01-01 23:00:00+00")}',
    staging: 'VARCHAR',
  },
  { type: 'int8multirange', sql: "'{(,)}'", value: '{(,)}', staging: 'VARCHAR' },
  {
    type: 'tsmultirange',
    sql: "'{[2024-01-01,2024-01-02)}'",
    value: '{["2024-01-01 00:00:00","2024-01-02 00:00:00")}',
    staging: 'VARCHAR',
  },
];
