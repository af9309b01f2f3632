import type { MysqlCase } from './mysql-case.js';
import { mysqlDecimals } from './mysql-decimals.js';
import { mysqlNumbers } from './mysql-numbers.js';
import { mariadbOnly, mysqlOther } from './mysql-other.js';
import { mysqlText } from './mysql-text.js';
import { mysqlTime } from './mysql-time.js';

/** All values that arrive. */
export const mysqlCases: MysqlCase[] = [...mysqlNumbers, ...mysqlDecimals, ...mysqlTime, ...mysqlText, ...mysqlOther, ...mariadbOnly];

/** As many per table as a row of InnoDB takes, with one set of policies. */
const perTable = 40;

export function mysqlGroups(): MysqlCase[][] {
  const groups = [...Map.groupBy(mysqlCases, ({ policies }) => JSON.stringify(policies ?? {})).values()];
  return groups.flatMap((cases) =>
    Array.from({ length: Math.ceil(cases.length / perTable) }, (_, i) => cases.slice(i * perTable, (i + 1) * perTable)),
  );
}

/** Statements that make a table with a column per case, a row with the values (id 1) and a row of NULLs (id 2). */
export const mysqlTable = (name: string, cases: readonly MysqlCase[]): string => `
CREATE TABLE ${name} (id int PRIMARY KEY, ${cases.map(({ type }, i) => `c${i} ${type}`).join(', ')}) CHARACTER SET utf8mb4;
INSERT INTO ${name} VALUES (1, ${cases.map(({ sql }) => sql).join(', ')});
INSERT INTO ${name} (id) VALUES (2);`;

/** Settings of the session that inserts. */
export const mysqlSetup = "SET NAMES utf8mb4; SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES';";
