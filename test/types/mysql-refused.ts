import type { MysqlRefusal } from './mysql-case.js';

/** Values that are an error, which names table, key, column and value. */
export const mysqlRefused: MysqlRefusal[] = [
  { type: 'date', sql: "'0000-00-00'", message: /column v \(date\) holds 0000-00-00, which DATE cannot hold \(policy date_out_of_range\)/ },
  { type: 'date', sql: "'2000-00-01'", message: /holds 2000-00-01/ },
  { type: 'date', sql: "'2000-02-31'", message: /holds 2000-02-31/ },
  { type: 'date', sql: "'0000-05-05'", message: /holds 0000-05-05/ },
  { type: 'datetime', sql: "'0000-00-00 00:00:00'", message: /holds 0000-00-00 00:00:00/ },
  { type: 'datetime(6)', sql: "'2000-01-00 12:00:00.5'", message: /holds 2000-01-00 12:00:00\.500000/ },
  { type: 'timestamp NULL', sql: "'0000-00-00 00:00:00'", message: /column v \(timestamp\) holds 0000-00-00 00:00:00/ },
  { type: 'time', sql: "'24:00:00'", message: /holds 24:00:00, which TIME\(6\) cannot hold \(policies date_out_of_range, time\)/ },
  { type: 'time(6)', sql: "'-00:00:00.5'", message: /holds -00:00:00\.500000/ },
  { type: 'time', sql: "'838:59:59'", message: /holds 838:59:59/ },
  { type: 'tinyint(1)', sql: '2', message: /holds 2, which BOOLEAN cannot hold \(policy tinyint1\)/, policies: { tinyint1: 'boolean' } },
  { type: 'tinyint(1)', sql: '-1', message: /holds -1/, policies: { tinyint1: 'boolean' } },
  {
    type: 'decimal(65,30)',
    sql: '1.001',
    message: /holds 1\.0010+, which NUMBER\(10,2\) cannot hold \(policy unbounded_numeric\)/,
    policies: { unbounded_numeric: 'number(10,2)' },
  },
  { type: 'decimal(65,0)', sql: '100000000', message: /holds 100000000/, policies: { unbounded_numeric: 'number(10,2)' } },
  { type: 'decimal(65,0)', sql: `-1${'0'.repeat(38)}`, message: /holds -10000/, policies: { unbounded_numeric: 'number(38,0)' } },
  { type: 'decimal(38,38)', sql: `0.${'0'.repeat(37)}1`, message: /holds 0\.000/, policies: { unbounded_numeric: 'number(38,37)' } },
  // A code that has no character: the server would send a question mark.
  {
    type: 'varchar(20) CHARACTER SET cp1251',
    sql: "x'c498'",
    message: /holds 0xc498, not all of it characters, which VARCHAR cannot hold/,
  },
  { type: 'text CHARACTER SET hebrew', sql: "x'3fa1'", message: /holds 0x3fa1/ },
  // Snowflake holds 16 MiB in a VARCHAR and 8 MiB in a BINARY.
  { type: 'longtext', sql: "REPEAT('x', 16777217)", message: /holds 16777217 bytes, which VARCHAR cannot hold\./ },
  { type: 'mediumtext CHARACTER SET latin1', sql: "REPEAT('ü', 8388609)", message: /holds 16777218 bytes/ },
  { type: 'longblob', sql: "REPEAT('x', 8388609)", message: /holds 8388609 bytes, which BINARY cannot hold/ },
];
