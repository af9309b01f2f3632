/** Configuration files that are refused, and every line of what is said about them. A new case is a new row. */
export interface BadFile {
  name: string;
  text: string;
  said: string[];
}

const source = (settings: string, tables = '      - table: orders') => `sources:
  - source: PostgreSQL
    database: clr
    type: postgres
${settings}    tables:
${tables}
`;
/** The keys of one table, from line 6 on, indented by 8. */
const table = (...lines: string[]) => source('', `      - table: orders\n${lines.map((line) => `        ${line}`).join('\n')}`);
/** `<file>:<line>:<column> <path of a key of the first table>: <text>` */
const at = (line: number, column: number, key: string, text: string) =>
  `tables.yaml:${line}:${column} sources[0].tables[0]${key === '' ? '' : `.${key}`}: ${text}`;

export const badFiles: BadFile[] = [
  { name: 'an empty file', text: '', said: ['tables.yaml:1:1 the file is empty: expected the key "sources"'] },
  { name: 'only a comment', text: '# nothing yet\n', said: ['tables.yaml:1:1 the file is empty: expected the key "sources"'] },
  { name: 'a list at the top', text: '- a\n', said: ['tables.yaml:1:1 expected a mapping of keys to values, got a list'] },
  { name: 'no sources', text: 'sources: []\n', said: ['tables.yaml:1:10 sources: needs at least one entry'] },
  { name: 'sources left empty', text: 'sources:\n', said: ['tables.yaml:1:9 sources: expected a list, got nothing'] },
  {
    name: 'no YAML: a bracket left open',
    text: 'sources: [\n',
    said: ['tables.yaml:2:1 not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  },
  {
    name: 'no YAML: a tab as indentation',
    text: 'sources:\n\t- a\n',
    said: ['tables.yaml:2:1 not YAML: Tabs are not allowed as indentation'],
  },
  { name: 'a key twice', text: table('mode: full', 'mode: full'), said: ['tables.yaml:8:9 not YAML: Map keys must be unique'] },
  {
    name: 'an alias to nothing',
    text: 'sources: *base\n',
    said: ['tables.yaml:1:10 not YAML: no anchor &base stands before *base'],
  },
  {
    name: 'keys that are missing',
    text: 'sources:\n  - database: clr\n    tables: []\n',
    said: [
      'tables.yaml:2:5 sources[0]: the key "source" is missing',
      'tables.yaml:2:5 sources[0]: the key "type" is missing: expected one of postgres, mysql',
      'tables.yaml:3:13 sources[0].tables: needs at least one entry',
    ],
  },
  {
    name: 'a misspelt key',
    text: table('cursorColumn: updated_at'),
    said: [at(7, 9, 'cursorColumn', 'unknown key "cursorColumn". Did you mean "cursor_column"?')],
  },
  {
    name: 'a misspelt key of a source',
    text: source('    permit: 3\n'),
    said: ['tables.yaml:5:5 sources[0].permit: unknown key "permit". Did you mean "permits"?'],
  },
  {
    name: 'a key in the wrong place',
    text: table('exclude: [note]'),
    said: [at(7, 9, 'exclude', 'unknown key "exclude" here: it belongs at sources[].tables[].columns.exclude')],
  },
  {
    name: 'a key that resembles nothing',
    text: table('columns: { colour: red }'),
    said: [at(7, 20, 'columns.colour', 'unknown key "colour": expected one of include, exclude, rename, large, mask')],
  },
  {
    name: 'a misspelt choice',
    text: table('mode: incremntal'),
    said: [at(7, 15, 'mode', 'expected one of full, incremental; got "incremntal". Did you mean "incremental"?')],
  },
  {
    name: 'a choice of another kind',
    text: table('deletes: true'),
    said: [at(7, 18, 'deletes', 'expected one of hard, soft; got the boolean true')],
  },
  {
    name: 'a database that is not supported',
    text: source('').replace('type: postgres', 'type: oracle'),
    said: ['tables.yaml:4:11 sources[0].type: expected one of postgres, mysql; got "oracle"'],
  },
  {
    name: 'a source with a character that S3 or SQL would mind',
    text: source('').replace('source: PostgreSQL', 'source: "Postgres#1"'),
    said: ['tables.yaml:2:13 sources[0].source: expected letters, digits, _ and -, beginning with a letter; got "Postgres#1"'],
  },
  {
    name: 'a number where a name is wanted',
    text: source('', '      - table: 2013'),
    said: ['tables.yaml:6:16 sources[0].tables[0].table: expected text, got the number 2013; put it in quotes: "2013"'],
  },
  {
    name: 'a table whose name begins like our own items',
    text: source('', '      - table: "#source"'),
    said: ['tables.yaml:6:16 sources[0].tables[0].table: expected a name that does not begin with #; got "#source"'],
  },
  { name: 'an empty name', text: table('row_filter: ""'), said: [at(7, 21, 'row_filter', 'must not be empty')] },
  {
    name: 'a name that is too long',
    text: table(`cursor_column: ${'x'.repeat(256)}`),
    said: [at(7, 24, 'cursor_column', 'must have at most 255 characters')],
  },
  { name: 'text where a list is wanted', text: table('primary_key: id'), said: [at(7, 22, 'primary_key', 'expected a list, got "id"')] },
  { name: 'an empty list', text: table('primary_key: []'), said: [at(7, 22, 'primary_key', 'needs at least one entry')] },
  {
    name: 'a list where a mapping is wanted',
    text: table('columns: [id]'),
    said: [at(7, 18, 'columns', 'expected a mapping of keys to values, got a list')],
  },
  {
    name: 'text where a number is wanted',
    text: table('lookback_seconds: "60"'),
    said: [at(7, 27, 'lookback_seconds', 'expected a number, got "60"')],
  },
  {
    name: 'a fraction where a whole number is wanted',
    text: table('lookback_seconds: 1.5'),
    said: [at(7, 27, 'lookback_seconds', 'expected a whole number, got the number 1.5')],
  },
  {
    name: 'a number that is too small',
    text: source('    permits: 0\n'),
    said: ['tables.yaml:5:14 sources[0].permits: must be at least 1, got 0'],
  },
  {
    name: 'a number that is too great',
    text: table('max_delete_fraction: 50'),
    said: [at(7, 30, 'max_delete_fraction', 'must be at most 1, got 50')],
  },
  {
    name: 'YAML null where a policy is named null',
    text: table('policies: { numeric_nan: null }'),
    said: [at(7, 34, 'policies.numeric_nan', 'expected one of error, null; got nothing')],
  },
  {
    name: 'a numeric that Snowflake cannot hold',
    text: table('policies:', '  unbounded_numeric: number(40,2)'),
    said: [at(8, 30, 'policies.unbounded_numeric', 'expected text, float or number(p,s) with p ≤ 38 and s ≤ 37; got "number(40,2)"')],
  },
  {
    name: 'incremental without a cursor',
    text: table('mode: incremental'),
    said: [at(7, 15, 'mode', 'incremental needs cursor_column: a column that every INSERT and UPDATE sets, such as updated_at')],
  },
  {
    name: 'keys to be read for a table that is read whole',
    text: table('delete_detection: keys'),
    said: [at(7, 27, 'delete_detection', 'keys is for incremental tables: a full run sees by its rows which ones are gone')],
  },
  {
    name: 'a time zone with a sign',
    text: table('cursor_time_zone: "+02:00"'),
    said: [at(7, 27, 'cursor_time_zone', '"+02:00" is no time zone: expected a name such as Europe/Berlin or UTC')],
  },
  {
    name: 'a time zone that does not exist',
    text: table('cursor_time_zone: Europe/Bonn'),
    said: [at(7, 27, 'cursor_time_zone', '"Europe/Bonn" is no time zone: expected a name such as Europe/Berlin or UTC')],
  },
  {
    name: 'include and exclude',
    text: table('columns:', '  include: [id]', '  exclude: [note]'),
    said: [at(9, 20, 'columns.exclude', 'give include or exclude, not both')],
  },
  {
    name: 'a column twice in the primary key',
    text: table('primary_key: [a, b, a]'),
    said: [at(7, 29, 'primary_key[2]', '"a" stands here twice')],
  },
  {
    name: 'a column twice among the large ones',
    text: table('columns: { large: [scan, scan] }'),
    said: [at(7, 34, 'columns.large[1]', '"scan" stands here twice')],
  },
  {
    name: 'a primary key that is masked away',
    text: table('primary_key: [id]', 'columns:', '  mask: { id: "null" }'),
    said: [at(9, 23, 'columns.mask.id', '"id" is part of the primary key, which cannot be NULL: mask it by sha256')],
  },
  {
    name: 'a primary key that is left out',
    text: table('primary_key: [id]', 'columns: { exclude: [id] }'),
    said: [at(7, 23, 'primary_key[0]', '"id" is part of the primary key and cannot be left out by columns.exclude')],
  },
  {
    name: 'a new name for a column that is left out',
    text: table('columns: { include: [id], rename: { note: REMARK } }'),
    said: [at(7, 51, 'columns.rename.note', '"note" is left out by columns.include: there is nothing to rename')],
  },
  {
    name: "a new name like Firn's own",
    text: table('columns: { rename: { run: _firn_run } }'),
    said: [at(7, 35, 'columns.rename.run', `"_firn_run": names that begin with _FIRN_ are Firn's own`)],
  },
  {
    name: 'two columns with one new name',
    text: table('columns:', '  rename: { a: X, b: x }'),
    said: [at(8, 30, 'columns.rename.b', '"b" and "a" both become X in Snowflake: rename one of them')],
  },
  {
    name: 'a new name that another column has',
    text: table('primary_key: [id]', 'columns: { rename: { ident: ID } }'),
    said: [at(8, 37, 'columns.rename.ident', '"ident" and "id" both become ID in Snowflake: rename one of them')],
  },
  {
    name: 'columns that differ only by case',
    text: table('columns: { include: [id, Id] }'),
    said: [at(7, 18, 'columns', '"Id" and "id" both become ID in Snowflake: rename one of them')],
  },
  {
    name: 'a table twice',
    text: source('', '      - table: orders\n      - table: orders'),
    said: ['tables.yaml:7:9 sources[0].tables[1]: PostgreSQL/clr/orders is configured twice (the other stands at tables.yaml:6)'],
  },
  {
    name: 'tables that differ only by case',
    text: source('', '      - table: orders\n      - table: Orders'),
    said: [
      'tables.yaml:7:9 sources[0].tables[1]: PostgreSQL/clr/Orders and PostgreSQL/clr/orders would both be RAW_CLR.ORDERS in Snowflake: give one of them target.schema or target.table (the other stands at tables.yaml:6)',
    ],
  },
  {
    name: 'a table named like the one of another schema',
    text: source('', '      - table: sales.orders\n      - table: sales_orders'),
    said: [
      'tables.yaml:7:9 sources[0].tables[1]: PostgreSQL/clr/sales_orders and PostgreSQL/clr/sales.orders would both be RAW_CLR.SALES_ORDERS in Snowflake: give one of them target.schema or target.table (the other stands at tables.yaml:6)',
    ],
  },
  {
    name: "a table named like another's view",
    text: source('', '      - table: orders\n      - table: orders_committed'),
    said: [
      'tables.yaml:7:9 sources[0].tables[1]: PostgreSQL/clr/orders_committed and PostgreSQL/clr/orders would both be RAW_CLR.ORDERS_COMMITTED in Snowflake: give one of them target.schema or target.table (the other stands at tables.yaml:6)',
    ],
  },
  {
    name: 'two sources whose databases have one name',
    text: `${source('')}  - source: Replica\n    database: CLR\n    type: postgres\n    tables: [{ table: orders }]\n`,
    said: [
      'tables.yaml:10:14 sources[1].tables[0]: Replica/CLR/orders and PostgreSQL/clr/orders would both be RAW_CLR.ORDERS in Snowflake: give one of them target.schema or target.table (the other stands at tables.yaml:6)',
    ],
  },
  {
    name: 'one source with two settings',
    text: `${source('')}  - source: PostgreSQL\n    database: clr\n    type: postgres\n    permits: 8\n    tables: [{ table: payments }]\n`,
    said: ['tables.yaml:7:5 sources[1]: permits of PostgreSQL/clr is not the same as at tables.yaml:2'],
  },
  {
    name: 'several things at once, in the order of the file',
    text: source('    permits: 99\n', '      - table: 1\n        mode: all'),
    said: [
      'tables.yaml:5:14 sources[0].permits: must be at most 64, got 99',
      'tables.yaml:7:16 sources[0].tables[0].table: expected text, got the number 1; put it in quotes: "1"',
      'tables.yaml:8:15 sources[0].tables[0].mode: expected one of full, incremental; got "all"',
    ],
  },
];
