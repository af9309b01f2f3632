/** A relation of PostgreSQL: all its rows arrive as the server shows them. */
export interface RelationCase {
  what: string;
  sql: string;
  /** Default: public. */
  schema?: string;
  table: string;
  rows: number;
  kind?: string;
  primaryKey?: string[];
  /** Names in Snowflake. */
  targets?: string[];
  /** Types in staging. */
  staging?: string[];
}

const manyColumns = Array.from({ length: 1599 }, (_, i) => `c${i} ${['int', 'bool', 'text', 'float4'][i % 4]}`).join(', ');

export const relationCases: RelationCase[] = [
  {
    what: 'a table with inheritors: their rows too',
    sql: `CREATE TABLE city (id int PRIMARY KEY, name text); CREATE TABLE capital (state text) INHERITS (city);
      INSERT INTO city VALUES (1, 'Aachen'); INSERT INTO capital VALUES (2, 'Bonn', 'NW')`,
    table: 'city',
    rows: 2,
    kind: 'table',
    primaryKey: ['id'],
    targets: ['ID', 'NAME'],
  },
  { what: 'an inheritor', sql: 'SELECT 1', table: 'capital', rows: 1, targets: ['ID', 'NAME', 'STATE'], primaryKey: [] },
  {
    what: 'partitions of partitions, with a default',
    sql: `CREATE TABLE tree (id int, day date, region text, PRIMARY KEY (region, day, id)) PARTITION BY LIST (region);
      CREATE TABLE tree_eu PARTITION OF tree FOR VALUES IN ('eu') PARTITION BY RANGE (day);
      CREATE TABLE tree_eu_1 PARTITION OF tree_eu FOR VALUES FROM (MINVALUE) TO ('2024-01-05');
      CREATE TABLE tree_eu_2 PARTITION OF tree_eu DEFAULT; CREATE TABLE tree_rest PARTITION OF tree DEFAULT;
      INSERT INTO tree SELECT i, date '2024-01-01' + i, CASE WHEN i % 3 = 0 THEN 'us' ELSE 'eu' END FROM generate_series(1, 12) i`,
    table: 'tree',
    rows: 12,
    kind: 'partitioned table',
    primaryKey: ['region', 'day', 'id'],
  },
  { what: 'a partition that is partitioned', sql: 'SELECT 1', table: 'tree_eu', rows: 8, kind: 'partitioned table' },
  { what: 'a partition', sql: 'SELECT 1', table: 'tree_eu_1', rows: 2, kind: 'table' },
  {
    what: 'hash partitions with columns in another order and dropped ones',
    sql: `CREATE TABLE hashed (id int PRIMARY KEY, note text) PARTITION BY HASH (id);
      CREATE TABLE hashed_0 (gone int, note text, id int NOT NULL); ALTER TABLE hashed_0 DROP COLUMN gone;
      ALTER TABLE hashed ATTACH PARTITION hashed_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      INSERT INTO hashed SELECT i, 'n' || i FROM generate_series(1, 20) i`,
    table: 'hashed',
    rows: 20,
  },
  {
    what: 'a view keeps the sizes of its columns, and has none for what it computes',
    sql: `CREATE TABLE sold (id int PRIMARY KEY, price numeric(10,2), at timestamp(3)); INSERT INTO sold VALUES (1, 1.5, '2024-01-01 00:00:00.1236');
      CREATE VIEW sold_view WITH (security_barrier) AS SELECT id, price, price * 2 AS twice, at, count(*) OVER () AS n FROM sold`,
    table: 'sold_view',
    rows: 1,
    kind: 'view',
    staging: ['NUMBER(38,0)', 'NUMBER(10,2)', 'VARCHAR', 'TIMESTAMP_NTZ(6)', 'NUMBER(38,0)'],
  },
  {
    what: 'a view over a view with a literal and a recursive part',
    sql: `CREATE VIEW deep AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i AS id, 'x' AS literal, NULL AS nothing FROM n;
      CREATE VIEW deeper AS SELECT * FROM deep WHERE id > 2`,
    table: 'deeper',
    rows: 3,
    staging: ['NUMBER(38,0)', 'VARCHAR', 'VARCHAR'],
  },
  {
    what: 'a materialized view',
    sql: 'CREATE MATERIALIZED VIEW sold_kept AS SELECT id, price FROM sold',
    table: 'sold_kept',
    rows: 1,
    kind: 'materialized view',
    staging: ['NUMBER(38,0)', 'NUMBER(10,2)'],
  },
  {
    what: 'a foreign table of postgres_fdw',
    sql: `CREATE EXTENSION postgres_fdw; CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '$PORT', dbname 'postgres');
      CREATE USER MAPPING FOR postgres SERVER itself OPTIONS (user 'postgres', password_required 'false');
      CREATE FOREIGN TABLE sold_there (id int NOT NULL, price numeric(10,2), at timestamp) SERVER itself OPTIONS (table_name 'sold')`,
    table: 'sold_there',
    rows: 1,
    kind: 'foreign table',
  },
  {
    what: 'a foreign table of file_fdw',
    sql: `CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
      COPY (SELECT i AS id, 'line ' || i AS note FROM generate_series(1, 7) i) TO '/tmp/firn-file-fdw-$PORT.csv';
      CREATE FOREIGN TABLE lines (id int, note text) SERVER files OPTIONS (filename '/tmp/firn-file-fdw-$PORT.csv')`,
    table: 'lines',
    rows: 7,
    kind: 'foreign table',
  },
  {
    what: 'generated columns, stored and virtual',
    sql: `CREATE TABLE computed (id int PRIMARY KEY, a int, stored int GENERATED ALWAYS AS (a * 2) STORED, virtual text GENERATED ALWAYS AS ('v' || a) VIRTUAL,
      counted int GENERATED ALWAYS AS IDENTITY); INSERT INTO computed (id, a) VALUES (1, 3), (2, NULL)`,
    table: 'computed',
    rows: 2,
    targets: ['ID', 'A', 'STORED', 'VIRTUAL', 'COUNTED'],
  },
  {
    what: 'dropped, added, retyped and renamed columns',
    sql: `CREATE TABLE moved (gone text, id int PRIMARY KEY, a int, b text, c int); INSERT INTO moved VALUES ('x', 1, 2, 'b', 3);
      ALTER TABLE moved DROP COLUMN gone; ALTER TABLE moved ADD COLUMN added timestamptz DEFAULT '2024-01-01 00:00Z'; ALTER TABLE moved ALTER a TYPE numeric(7,3);
      ALTER TABLE moved RENAME b TO "B 2"; ALTER TABLE moved DROP COLUMN c; INSERT INTO moved VALUES (2, 2.5, NULL, DEFAULT)`,
    table: 'moved',
    rows: 2,
    targets: ['ID', 'A', 'B 2', 'ADDED'],
    staging: ['NUMBER(38,0)', 'NUMBER(7,3)', 'VARCHAR', 'TIMESTAMP_TZ(6)'],
  },
  {
    what: 'a key that includes a column: not part of the key',
    sql: 'CREATE TABLE covering (a int, b int, note text, PRIMARY KEY (b, a) INCLUDE (note)); INSERT INTO covering VALUES (1, 2, NULL)',
    table: 'covering',
    rows: 1,
    primaryKey: ['b', 'a'],
  },
  {
    what: 'names in any script',
    sql: `CREATE SCHEMA "схема ""1"""; CREATE TABLE "схема ""1"""."表.名 🦊" ("Ключ" int PRIMARY KEY, "ελληνικά" text, "عربي" text, "日本語" text, "emoji 🦊" text, "a.b""c" text,
      "select" text, " " text, "$1" text, "${'n'.repeat(63)}" text); INSERT INTO "схема ""1"""."表.名 🦊" VALUES (1, 'α', 'ع', '日', '🦊', 'q', 's', ' ', '$', 'n')`,
    schema: 'схема "1"',
    table: '表.名 🦊',
    rows: 1,
    primaryKey: ['Ключ'],
    targets: ['КЛЮЧ', 'ΕΛΛΗΝΙΚΆ', 'عربي', '日本語', 'EMOJI 🦊', 'A.B"C', 'SELECT', ' ', '$1', 'N'.repeat(63)],
  },
  {
    what: 'types whose names are those of others',
    sql: `CREATE SCHEMA app; CREATE TYPE app.numeric AS ENUM ('one'); CREATE TYPE app.date AS (y int); CREATE DOMAIN app.money AS int; CREATE TYPE app.hstore AS ENUM ('h');
      CREATE TYPE app._money AS ENUM ('m'); CREATE TABLE app.fakes (id int PRIMARY KEY, n app.numeric, d app.date, m app.money, h app.hstore, a app._money[]);
      INSERT INTO app.fakes VALUES (1, 'one', ROW(2024), 5, 'h', '{m}')`,
    schema: 'app',
    table: 'fakes',
    rows: 1,
    staging: ['NUMBER(38,0)', 'VARCHAR', 'VARIANT', 'NUMBER(38,0)', 'VARCHAR', 'VARIANT'],
  },
  {
    what: 'an enum whose values were added and renamed',
    sql: `CREATE TYPE stage AS ENUM ('a', 'z'); CREATE TABLE staged (id int PRIMARY KEY, s stage); INSERT INTO staged VALUES (1, 'a'), (2, 'z');
      ALTER TYPE stage RENAME VALUE 'a' TO 'á'; ALTER TYPE stage ADD VALUE 'm' BEFORE 'z'`,
    table: 'staged',
    rows: 2,
  },
  {
    what: 'a table of a type, unlogged, with compressed and external values',
    sql: `CREATE TYPE thing AS (id int, note text, more text); CREATE UNLOGGED TABLE things OF thing (PRIMARY KEY (id));
      ALTER TABLE things ALTER note SET STORAGE EXTERNAL; INSERT INTO things SELECT i, repeat(md5(i::text), 1000), repeat('x', 100000) FROM generate_series(1, 5) i`,
    table: 'things',
    rows: 5,
  },
  {
    what: '1,600 columns, the most there can be',
    sql: `CREATE TABLE widest (id int PRIMARY KEY, ${manyColumns}); INSERT INTO widest (id, c0, c1, c2, c3, c1595, c1597, c1598) VALUES (1, 7, true, 'a', 1.5, 0.5, false, 'last'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
      INSERT INTO widest SELECT * FROM (SELECT 3 AS id) x`,
    table: 'widest',
    rows: 3,
  },
  {
    what: 'rows of 60 MB',
    sql: `CREATE TABLE heavy (id int PRIMARY KEY, a text, b text, c bytea, d jsonb);
      INSERT INTO heavy SELECT i, repeat(md5(i::text), 500000), repeat('é', 8000000), decode(repeat(md5(i::text), 500000), 'hex'), to_jsonb(repeat('j', 16000000)) FROM generate_series(1, 2) i`,
    table: 'heavy',
    rows: 2,
  },
];

/** Relations that are refused, and how. */
export const refusedRelations: { what: string; sql: string; table: string; code: string; message: RegExp }[] = [
  {
    what: 'a materialized view without data',
    sql: 'CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS id WITH NO DATA',
    table: 'unfilled',
    code: 'SourceQueryFailed',
    message: /"unfilled" has not been populated/,
  },
  {
    what: 'columns that become one',
    sql: 'CREATE TABLE twins (id int, "ID" int)',
    table: 'twins',
    code: 'ColumnNameCollision',
    message: /column ID would be ID in Snowflake, as is column id/,
  },
  {
    what: 'columns that become one beyond ASCII',
    sql: 'CREATE TABLE street ("straße" text, strasse text)',
    table: 'street',
    code: 'ColumnNameCollision',
    message: /STRASSE/,
  },
  {
    what: "a column of Firn's own name",
    sql: 'CREATE TABLE mine (_firn_run text)',
    table: 'mine',
    code: 'ColumnNameCollision',
    message: /_firn_run/,
  },
  { what: 'a table without columns', sql: 'CREATE TABLE void ()', table: 'void', code: 'ConfigInvalid', message: /no column is left/ },
  { what: 'a sequence', sql: 'CREATE SEQUENCE series', table: 'series', code: 'SourceTableMissing', message: /no table public\.series/ },
  {
    what: 'an index',
    sql: 'CREATE TABLE i (id int); CREATE INDEX indexed ON i (id)',
    table: 'indexed',
    code: 'SourceTableMissing',
    message: /indexed/,
  },
];
