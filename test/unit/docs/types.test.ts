import type { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Column, ParquetType } from '../../../core/column.js';
import { describeTable } from '../../../core/source/postgres/catalog.js';
import { defaultPolicies } from '../../../core/source/postgres/types.js';
import { compareTypes, parseType } from '../../../core/warehouse/types.js';
import type { TypeCase } from '../../types/case.js';
import { typeCases } from '../../types/postgres.js';
import { refusedCases } from '../../types/refused.js';
import { refusedRelations, relationCases } from '../../types/relations.js';
import { madeTypes, typeSetup } from '../../types/setup.js';
import { type RunningPostgres, startPostgres } from '../source/running-postgres.js';

let server: RunningPostgres;
let client: Client;

beforeAll(async () => {
  server = await startPostgres();
  client = await server.connect();
  await client.query(typeSetup);
}, 60_000);
afterAll(() => server.stop());

const parquetText = (type: ParquetType): string => {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`;
    case 'timestamp':
      return `TIMESTAMP(MICROS${type.utc ? ', UTC' : ''})`;
    case 'time':
      return 'TIME(MICROS)';
    default:
      return type.kind.toUpperCase();
  }
};

const converted: Record<Column['convert'], string> = { none: '', parse_json: ' by PARSE_JSON', utc: ', offset +00:00' };

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

const made = new Map(madeTypes.map(({ name, what }) => [name, what]));

const typeName = (type: string): string => {
  const element = type.endsWith('[]') ? made.get(type.slice(0, -2)) : undefined;
  return made.get(type) ?? (element ? `an array of ${element}` : code(type));
};

const policyText = ({ policies }: Pick<TypeCase, 'policies'>): string =>
  Object.entries(policies ?? {})
    .map(([name, value]) => code(`${name}: ${value === 'null' ? '"null"' : value}`))
    .join(', ');

/** `numeric(12,2)` and `number(12,2)` stand for all of their kind where the way keeps the numbers. */
const generic = (text: string): string => text.replace(/\((\d+),(\d+)\)/g, '(p,s)');

/** One row per way to Snowflake, with all the types that go it. */
async function mappingRows(): Promise<string[]> {
  const ways = new Map<string, Set<string>>();
  const add = (way: string, type: string) => ways.set(way, (ways.get(way) ?? new Set()).add(type));
  // A policy may change the type of a numeric; elsewhere it changes values only.
  const described = typeCases.filter(({ policies }) => !policies || policies.unbounded_numeric || policies.json);
  const groups = Map.groupBy(described, ({ type, policies }) => `${type} ${policies?.unbounded_numeric} ${policies?.json}`);
  const cases = [...groups.values()].map((same) => same[0]!);
  for (const [index, { type, policies }] of cases.entries()) {
    await client.query(`CREATE TABLE described_${index} (v ${type})`);
    const relation = { schema: 'public', table: `described_${index}` };
    const { columns } = await describeTable(client, relation, { policies: { ...defaultPolicies, ...policies } });
    const { parquet, raw, staging, convert } = columns[0]!;
    const changing =
      policies?.json && convert === 'none' && type !== 'text'
        ? { json: policies.json }
        : { unbounded_numeric: policies?.unbounded_numeric };
    const policy = policies && Object.values(changing)[0] ? ` with ${policyText({ policies: changing })}` : '';
    const from = `${typeName(type)}${policy}`;
    const to = `${code(parquetText(parquet))} | ${code(raw)} | ${code(staging)}${converted[convert]}`;
    const [declared] = /\(\d+,\d+\)/.exec(from) ?? [];
    if (declared && /^numeric/.test(type) && to.split(declared).length === 4) add(generic(to), generic(from));
    else add(to, from);
  }
  return [...ways].map(([way, types]) => `| ${[...types].join(', ')} | ${way} |`);
}

/** A text as a table of the page can show it. */
const shown = (text: string): string => {
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}]/gu, (sign) => `\\u${sign.codePointAt(0)!.toString(16).padStart(4, '0')}`);
  return visible === '' ? 'empty' : code(visible.length > 44 ? `${visible.slice(0, 40)}…` : visible);
};

/** The values that policies are about: refused, or replaced. */
function policyRows(): string[] {
  const refused = refusedCases.map((one) => ({ ...one, becomes: 'error `ValueOutOfRange`' }));
  const replaced = typeCases
    .filter(({ policies }) => policies && policies.unbounded_numeric !== 'text')
    .filter(({ type, policies }) => !(policies?.json && type === 'text'))
    .map((one) => ({ ...one, becomes: one.value === null ? 'NULL, counted' : `${shown(one.value)}${one.counted ? ', counted' : ''}` }));
  return [...refused, ...replaced].map(
    (one) => `| ${typeName(one.type)} | ${shown(one.sql)} | ${policyText(one) || 'the defaults'} | ${one.becomes} |`,
  );
}

const valueRows = (): string[] =>
  typeCases
    .filter(({ policies }) => !policies)
    .map(({ type, sql, value }) => `| ${typeName(type)} | ${shown(sql)} | ${value === null ? 'NULL' : shown(value)} |`);

/** What Snowflake shows otherwise than the file. */
const differing = typeCases
  .filter((one) => one.shown !== undefined)
  .map(({ type, value, shown: there }) => `${typeName(type)} ${shown(value!)} (${shown(there!)})`)
  .join(', ');

const changes: [string, string][] = [
  ['NUMBER(10,2)', 'NUMBER(12,2)'],
  ['NUMBER(12,2)', 'NUMBER(10,2)'],
  ['NUMBER(12,4)', 'NUMBER(12,2)'],
  ['NUMBER(12,2)', 'NUMBER(12,4)'],
  ['NUMBER(38,10)', 'NUMBER(38,0)'],
  ['NUMBER(38,0)', 'VARCHAR'],
  ['VARCHAR', 'VARIANT'],
  ['TIMESTAMP_NTZ(6)', 'TIMESTAMP_TZ(6)'],
];

const changeRows = (): string[] =>
  changes.map(([held, wanted]) => {
    const change = compareTypes(parseType(held), parseType(wanted));
    const outcome = {
      none: () => 'stays',
      widen: () => `widened to ${code((change as { type: string }).type)}`,
      incompatible: () => 'gets a new column',
    };
    return `| ${code(held)} | ${code(wanted)} | ${outcome[change.kind]()} |`;
  });

it('docs/types.md shows what the reader of PostgreSQL does with each type', async () => {
  const page = `# Types

What becomes of each type of PostgreSQL, on the way through Parquet and the raw table into staging. A value that you do not
[mask](configuration.md#masks) arrives exactly, or the run fails and names table, key, column and value as far as they are known, or a policy that you chose
replaces it and the receipt counts how often. Two things are changed without being counted:

- an array loses its lower bounds (\`'[0:1]={1,2}'\` becomes \`[1,2]\`), and an array or a composite type with JSON within it the difference between NULL and
  JSON \`null\`;
- JSON in a \`VARIANT\` loses the order of its keys, its white space and how a number was written.

This page is written by a test from the code and from the values that the tests send through it (\`test/types\`).

## Types

| PostgreSQL | Parquet | raw | staging |
|---|---|---|---|
${(await mappingRows()).join('\n')}

A type that is not in the list goes as its text, into \`VARCHAR\`. \`numeric(p,s)\` keeps its precision and scale up to 38 digits of which
37 stand behind the point; a negative scale becomes digits before the point, and a scale above the precision becomes the precision.

- \`timestamptz\`: the instant stays. PostgreSQL does not keep the writer's offset, so staging says \`+00:00\`, whatever the zone of session or account.
- \`char(n)\` keeps its padding; \`money\` goes as a plain number in text; \`interval\` as ISO 8601.
- \`unbounded_numeric: float\` makes a column of doubles, of each number the nearest one, whoever reads. 15 significant digits stay (fewer below
  1e-307); a number is counted when its double, in its shortest notation, is another one. One beyond the range of doubles is the error \`ValueOutOfRange\`.
- Arrays, composite types and \`hstore\` go as JSON. The lower bounds of an array are lost, and so is the difference between NULL and JSON \`null\`
  within an array or a composite type. NaN, infinities and numbers of unsigned types are texts in JSON. \`money\` within a composite type is a text in the
  source's locale.
- \`reg…\` types go as their names, which have a schema where it is not in the \`search_path\` of Firn's user.
- JSON \`null\` is a value of a \`VARIANT\`, not SQL NULL. Order of keys and white space of \`json\` end with PARSE_JSON, and so does how a number was written: one
  with an exponent becomes a double. What a \`VARIANT\` cannot hold as it is (a number beyond 38 digits, or with an exponent beyond 17 digits or the range of
  a double; a key twice in one object; a lone surrogate) is the error \`ValueOutOfRange\` with column and key; \`policies.json: text\` brings the columns of a
  table as text.
- \`VARCHAR\` takes 16 MB and \`BINARY\` 8 MB: a longer value is the error \`ValueOutOfRange\`. Columns under [\`columns.large\`](configuration.md#a-table) take 128 and
  64 MB. The text of a \`VARIANT\` passes through a \`VARCHAR\`.
- Databases of any encoding arrive in UTF-8; of one of \`SQL_ASCII\`, what is UTF-8. Bytes that are not are the error \`ValueOutOfRange\` with column and key.

## Policies

Set per table under [\`policies\`](configuration.md#a-table). Beyond them, dates and timestamps reach from 0001-01-01 to 9999-12-31 and times to 23:59:59.999999.
\`clamp\` takes the nearest of these. A replaced value is counted in the receipt's \`warnings\`, and the run's log names the first 20 keys of each column.

| type | value | policy | becomes |
|---|---|---|---|
${policyRows().join('\n')}

## Relations

Tables, partitioned tables, views, materialized views and foreign tables are read whole. The tests read

${relationCases.map(({ what }) => `- ${what}`).join('\n')}

and refuse

${refusedRelations.map(({ what, code: name }) => `- ${what}: \`${name}\``).join('\n')}

A table with inheritors may hold a key twice, which PostgreSQL does not prevent: of two such rows one is kept. Read the parts as tables of their own.

## When a type changes at the source

A new column is added to raw and staging, and filled in all rows: an incremental table is read again. A column that is gone stays, and keeps its values in rows that
nobody writes again; a row that a later run writes has NULL there. Of a column that stays, the types are compared:

| staging holds | the source now needs | |
|---|---|---|
${changeRows().join('\n')}

A type that the column cannot become gets a new column beside it, \`AMOUNT__V2\`, at the next such change \`AMOUNT__V3\`; everything is read again into it. The old one
stays like one that is gone, so that views and models go on. The receipt tells of each column that is new, widened, replaced or no longer read. A key of another type is
another key ([guarantees](guarantees.md#when-a-table-changes)). A table without a key is replaced by each run, columns that are gone with it.

## Values that the tests send through

Each is inserted into PostgreSQL, extracted, read from the Parquet file by DuckDB and pyarrow, and loaded and merged by the sandbox's Snowflake, which shows
it alike${differing === '' ? '' : ` but for ${differing}`}. Beyond these, random values of each type take the same way.

| type | value at the source | in the file |
|---|---|---|
${valueRows().join('\n')}
`;
  await expect(page).toMatchFileSnapshot('../../../docs/types.md');
});
