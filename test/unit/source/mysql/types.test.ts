import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnSchema } from '../../../../core/column.js';
import { defaultPolicies } from '../../../../core/source/mysql/types.js';
import { mysqlCases, mysqlGroups, mysqlSetup, mysqlTable } from '../../../types/mysql.js';
import type { MysqlCase } from '../../../types/mysql-case.js';
import { mysqlRefused } from '../../../types/mysql-refused.js';
import { duckdb, pyarrow, removeFolders } from '../extracting.js';
import { extractTable } from './extracting-mysql.js';
import { type RunningMysql, startMysql } from './running-mysql.js';

let server: RunningMysql;
let client: Connection;
/** Per case: staging type, the value as DuckDB prints it, and whether pyarrow reads a NULL. */
const results = new Map<MysqlCase, { staging: string; value: string | null; arrowNull: boolean; secondRow: unknown }>();

beforeAll(async () => {
  server = await startMysql();
  client = await server.connect();
  await client.query(mysqlSetup);
  for (const [index, cases] of mysqlGroups().entries()) await runGroup(`types_${index}`, cases);
});
afterAll(async () => {
  removeFolders();
  await server.stop();
});

async function runGroup(name: string, cases: MysqlCase[]): Promise<void> {
  await client.query(mysqlTable(name, cases));
  const { folder, table } = await extractTable(server.secret, name, { policies: { ...defaultPolicies, ...cases[0]!.policies } });
  const columns = cases.map(({ staging }, i) => (staging === 'BINARY' ? `hex(C${i})` : `CAST(C${i} AS VARCHAR)`));
  const [first, second] = await duckdb(folder, `SELECT ${columns.join(', ')} FROM t ORDER BY id`);
  const nulls = pyarrow<boolean[]>(folder, '[not c.is_valid().to_pylist()[0] for c in t.columns]');
  for (const [i, one] of cases.entries()) {
    const column = table.columns[i + 1]!;
    columnSchema.parse(column);
    results.set(one, { staging: column.staging, value: first![i] as string | null, arrowNull: nulls[i + 1]!, secondRow: second![i] });
  }
}

describe('a value of MariaDB arrives exactly', () => {
  it.each(mysqlCases.map((one) => [one.type, one.sql.slice(0, 60), JSON.stringify(one.policies ?? ''), one] as const))(
    '%s %s %s',
    (_, __, ___, one) => {
      expect(results.get(one)).toEqual({ staging: one.staging, value: one.value, arrowNull: one.value === null, secondRow: null });
    },
  );
});

describe('a value that does not fit is refused, naming table, row, column and value', () => {
  it.each(mysqlRefused.map((one) => [one.type, one.sql, one] as const))('%s %s', async (_, __, { type, sql, message, policies }) => {
    await client.query(`DROP TABLE IF EXISTS refused; CREATE TABLE refused (v ${type}, id int PRIMARY KEY)`);
    await client.query(`INSERT INTO refused VALUES (NULL, 6), (${sql}, 7)`);
    const error: unknown = await extractTable(server.secret, 'refused', { policies: { ...defaultPolicies, ...policies } }).catch((e) => e);
    expect(error).toMatchObject({ code: 'ValueOutOfRange', message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(/^shop\.refused, row id=7: column v/);
  });
});

it('counts what a policy replaced and tells the rows', async () => {
  await client.query(`CREATE TABLE counted (id int PRIMARY KEY, d date, t time, f decimal(65,30));
    INSERT INTO counted SELECT seq, IF(seq % 2 = 0, '0000-00-00', '2024-01-01'), IF(seq % 10 = 0, '100:00:00', '10:00:00'),
      IF(seq % 5 = 0, 9007199254740993, 0.1) FROM seq_1_to_100`);
  const { policyCounts, replaced } = await extractTable(server.secret, 'counted', {
    policies: { ...defaultPolicies, date_out_of_range: 'clamp', unbounded_numeric: 'float' },
  });
  expect(policyCounts).toEqual({ 'D: date_out_of_range': 50, 'T: date_out_of_range': 10, 'F: unbounded_numeric': 20 });
  expect(replaced[0]).toEqual({ column: 'D', policy: 'date_out_of_range=clamp', value: '0000-00-00', key: 'id=2' });
});

it('takes the longest values that Snowflake holds, in a row of several packets', async () => {
  await client.query(`CREATE TABLE longest (id int PRIMARY KEY, t longtext, b longblob, u longtext);
    INSERT INTO longest VALUES (1, 'short', 'b', 'u'),
      (2, REPEAT('x', 16777216), REPEAT('b', 8388608), REPEAT('u', 16777216)), (3, REPEAT('y', 16777215 - 12), '', ''), (4, 'last', 'c', 'v'),
      (5, REPEAT('z', 16777211), NULL, NULL), (6, 'end', NULL, NULL)`);
  const { folder } = await extractTable(server.secret, 'longest');
  expect(await duckdb(folder, 'SELECT id, left(t, 2), strlen(t), octet_length(b), left(u, 1), strlen(u) FROM t ORDER BY id')).toEqual([
    [1, 'sh', '5', '1', 'u', '1'],
    [2, 'xx', '16777216', '8388608', 'u', '16777216'],
    [3, 'yy', '16777203', '0', '', '0'],
    [4, 'la', '4', '1', 'v', '1'],
    [5, 'zz', '16777211', null, null, null],
    [6, 'en', '3', null, null, null],
  ]);
});
