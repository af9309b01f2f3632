import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Column, ParquetType } from '../../../../core/column.js';
import { describeTable } from '../../../../core/source/mysql/catalog.js';
import { connect, drop } from '../../../../core/source/mysql/connection.js';
import { defaultPolicies } from '../../../../core/source/mysql/types.js';
import { mysqlCases, mysqlGroups, mysqlSetup, mysqlTable } from '../../../types/mysql.js';
import type { MysqlCase } from '../../../types/mysql-case.js';
import { mysqlRefused } from '../../../types/mysql-refused.js';
import { type RunningMysql, startMysql } from './running-mysql.js';

let server: RunningMysql;
let client: Connection;
beforeAll(async () => {
  server = await startMysql();
  client = await server.connect();
  await client.query(mysqlSetup);
});
afterAll(() => server.stop());

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function parquetText(type: ParquetType): string {
  if (type.kind === 'decimal') return `DECIMAL(${type.precision},${type.scale})`;
  if (type.kind === 'timestamp') return `TIMESTAMP(MICROS${type.utc ? ', UTC' : ''})`;
  return type.kind === 'time' ? 'TIME(MICROS)' : type.kind.toUpperCase();
}

const converted: Record<Column['convert'], string> = { none: '', parse_json: ' by PARSE_JSON', utc: ', offset +00:00' };

const policyText = ({ policies }: Pick<MysqlCase, 'policies'>): string =>
  Object.entries(policies ?? {})
    .map(([name, value]) => code(`${name}: ${value === 'null' ? '"null"' : value}`))
    .join(', ');

/** `decimal(12,2)` stands for all of its kind. */
const generic = (text: string): string => text.replace(/\((\d+),(\d+)\)/g, '(p,s)');

/** One row per way to Snowflake, with all the types that go it. Policies over values alone change no type. */
async function mappingRows(): Promise<string[]> {
  const ways = new Map<string, Set<string>>();
  const session = await connect(server.secret);
  for (const [index, cases] of mysqlGroups().entries()) {
    await client.query(mysqlTable(`described_${index}`, cases));
    const policies = { ...defaultPolicies, ...cases[0]!.policies };
    const { columns } = await describeTable(session, { schema: 'shop', table: `described_${index}` }, { policies });
    for (const [i, one] of cases.entries()) {
      if (one.policies?.date_out_of_range) continue;
      const { parquet, raw, staging, convert } = columns[i + 1]!;
      const from = `${code(one.type.replace(/ NULL$/, ''))}${one.policies ? ` with ${policyText(one)}` : ''}`;
      const to = `${code(parquetText(parquet))} | ${code(raw)} | ${code(staging)}${converted[convert]}`;
      const isDeclared = /^decimal\((\d+,\d+)\)$/.exec(one.type)?.[1];
      const isGeneric = isDeclared !== undefined && !one.policies && to.includes(`(${isDeclared})`);
      const way = isGeneric ? generic(to) : to;
      ways.set(way, (ways.get(way) ?? new Set()).add(isGeneric ? generic(from) : from));
    }
  }
  drop(session);
  return [...ways].map(([way, types]) => `| ${[...types].join(', ')} | ${way} |`);
}

/** A text as a table of the page can show it. */
function shown(text: string): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}]/gu, (sign) => `\\u${sign.codePointAt(0)!.toString(16).padStart(4, '0')}`);
  return visible === '' ? 'empty' : code(visible.length > 44 ? `${[...visible].slice(0, 36).join('')}…` : visible);
}

function policyRows(): string[] {
  const refused = mysqlRefused.map((one) => ({ ...one, becomes: 'error `ValueOutOfRange`' }));
  const replaced = mysqlCases
    .filter(({ policies }) => policies && !['text', 'float'].includes(policies.unbounded_numeric ?? ''))
    .map((one) => ({ ...one, becomes: one.value === null ? 'NULL, counted' : shown(one.value) }));
  return [...refused, ...replaced].map(
    (one) => `| ${code(one.type)} | ${shown(one.sql)} | ${policyText(one) || 'the defaults'} | ${one.becomes} |`,
  );
}

const valueRows = (): string[] =>
  mysqlCases
    .filter(({ policies }) => !policies)
    .map(({ type, sql, value }) => `| ${code(type)} | ${shown(sql)} | ${value === null ? 'NULL' : shown(value)} |`);

it('docs/types-mysql.md shows what the reader of MySQL does with each type', async () => {
  const page = `# Types of MySQL and MariaDB

What becomes of each type on the way through Parquet and the raw table into staging. A value arrives exactly, or the run fails and names table, key, column and
value, or a policy that you chose replaces it and the receipt counts how often. Changed without being counted are: the trailing spaces of
\`char(n)\` and the SRID of geometries, which stay behind; and JSON in a \`VARIANT\`, which loses the order of its keys, its white space and how a number was written.

This page is written by a test from the code and from the values that the tests send through it (\`test/types/mysql*\`), with MariaDB 10.11.

## Types

| MySQL, MariaDB | Parquet | raw | staging |
|---|---|---|---|
${(await mappingRows()).join('\n')}

A type that is not in the list goes as its text, into \`VARCHAR\`: so do MariaDB's \`uuid\`, \`inet4\` and \`inet6\`. Generated and invisible columns are read like any other.

- \`timestamp\`: the instant stays; staging says \`+00:00\`. \`datetime\` has no zone, and gets none.
- \`float\` has all its digits, which MySQL's own text has not. MySQL holds neither NaN nor infinities.
- \`bit(1)\` is a BOOLEAN, a longer one the number of its bits. \`tinyint(1)\` is what \`policies.tinyint1\` says, by default a number.
- \`unbounded_numeric: float\` makes a column of doubles, of each number the nearest one. 15 significant digits stay; a number is counted when its double, in its shortest notation, is another one.
- \`time\` is a duration, from −838:59:59.999999 to 838:59:59.999999: as TIME only times of day pass, as text (\`policies.time\`) all do, with the column's own fraction.
- \`enum\` and \`set\` go as text; a value that is none of an enum's is the empty string, as in MySQL.
- \`char(n)\` comes without trailing spaces, as MySQL shows it whatever the server's sql_mode; \`binary(n)\` keeps its zeros.
- Text of every charset and collation arrives in UTF-8, NUL characters too. A code to which its charset gives no character is an error, not a question mark.
- Geometries go as WKB in BINARY, longitude before latitude whatever the reference system; the SRID stays behind.
- \`json\`: MariaDB's is a \`longtext\` that is checked by \`json_valid\`, which makes it one here. JSON \`null\` is a value of a \`VARIANT\`, not SQL NULL. With \`policies.json: text\` it goes as text.
- \`VARCHAR\` takes 16 MB and \`BINARY\` 8 MB: a longer value is the error \`ValueOutOfRange\`.
- A primary key whose collation takes two texts for one ('A' and 'a') is another row in Snowflake when it is written otherwise.

## Policies

Set per table under [\`policies\`](configuration.md#a-table). Dates reach from 0001-01-01 to 9999-12-31; zero dates ('0000-00-00', '2000-00-01') and impossible ones
('2000-02-31') follow \`date_out_of_range\`, of which \`clamp\` takes the nearest real date. A replaced value is counted in the receipt's \`warnings\`, and the run's log names
the first 20 keys of each column.

| type | value | policy | becomes |
|---|---|---|---|
${policyRows().join('\n')}

## Values that the tests send through

Each is inserted into MariaDB, extracted, read from the Parquet file by DuckDB and pyarrow, and loaded and merged by the sandbox's Snowflake.

| type | value at the source | in the file |
|---|---|---|
${valueRows().join('\n')}
`;
  await expect(page).toMatchFileSnapshot('../../../../docs/types-mysql.md');
});
