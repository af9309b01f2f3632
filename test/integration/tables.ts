/** Tables of the integration tests, beside those of the demo: how each is made at the source and configured. */
export interface TestTable {
  /** Key in the configuration. */
  table: string;
  /** Other settings, in YAML's words. */
  config: Record<string, unknown>;
  sql: string;
}

const name = '"Wéird ""; DROP TABLE orders; --"';

export const weirdName = 'Wéird "; DROP TABLE orders; --';

export const testTables: TestTable[] = [
  {
    table: 'shelf',
    config: { mode: 'incremental', cursor_column: 'updated_at' },
    sql: `CREATE TABLE shelf (id bigint PRIMARY KEY, label text, price numeric(20,4), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
          INSERT INTO shelf SELECT n, 'book ' || n, n / 3.0, now() - interval '1 hour' FROM generate_series(1, 500) n`,
  },
  {
    table: 'ledger',
    config: { mode: 'incremental', cursor_column: 'updated_at' },
    sql: `CREATE TABLE ledger (id bigint PRIMARY KEY, label text, price numeric(20,4), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
          INSERT INTO ledger SELECT n, 'entry ' || n, n / 3.0, now() - interval '1 hour' FROM generate_series(1, 500) n`,
  },
  {
    table: 'log_lines',
    config: { mode: 'incremental', cursor_column: 'id' },
    sql: `CREATE TABLE log_lines (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line text);
          INSERT INTO log_lines (line) SELECT 'line ' || n FROM generate_series(1, 300) n`,
  },
  {
    table: 'stock',
    config: { mode: 'full', deletes: 'soft' },
    sql: `CREATE TABLE stock (sku text, place text, amount integer, PRIMARY KEY (sku, place));
          INSERT INTO stock SELECT 'sku' || n, 'shelf ' || n % 3, n FROM generate_series(1, 90) n`,
  },
  {
    table: 'copied',
    config: { mode: 'full', loader: 'copy' },
    sql: `CREATE TABLE copied (id integer PRIMARY KEY, at timestamp, body bytea, extra jsonb);
          INSERT INTO copied SELECT n, timestamp '2025-03-30 02:30:00.123456' + make_interval(hours => n), decode(md5(n::text), 'hex'), jsonb_build_object('n', n)
          FROM generate_series(1, 200) n`,
  },
  {
    table: 'gauges',
    config: { mode: 'incremental', cursor_column: 'updated_at', loader: 'copy' },
    sql: `CREATE TABLE gauges (id integer PRIMARY KEY, reading integer, note text, code varchar(3), updated_at timestamptz NOT NULL DEFAULT now());
          INSERT INTO gauges (id, reading, note, code) SELECT n, n * 10, 'note ' || n, 'c' || n FROM generate_series(1, 3) n`,
  },
  { table: 'empty', config: { mode: 'full' }, sql: 'CREATE TABLE empty (id integer PRIMARY KEY, v text)' },
  {
    table: 'empty_so_far',
    config: { mode: 'incremental', cursor_column: 'at' },
    sql: 'CREATE TABLE empty_so_far (id integer PRIMARY KEY, at timestamptz NOT NULL)',
  },
  {
    table: 'single',
    config: { mode: 'full' },
    sql: "CREATE TABLE single (id integer PRIMARY KEY, v text); INSERT INTO single VALUES (1, '')",
  },
  {
    table: 'keyless',
    config: { mode: 'full' },
    sql: "CREATE TABLE keyless (a integer, b text); INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL)",
  },
  {
    table: 'wide',
    config: { mode: 'full' },
    sql: `DO $$ BEGIN EXECUTE 'CREATE TABLE wide (id integer PRIMARY KEY, ' || (SELECT string_agg('c' || n || ' ' ||
            (ARRAY['integer','text','numeric(10,2)','timestamptz','boolean','double precision'])[1 + n % 6], ', ') FROM generate_series(1, 299) n) || ')'; END $$;
          INSERT INTO wide (id, c1, c2, c3, c4, c5, c6) SELECT n, 'text ' || n, n / 7.0, now(), n % 2 = 0, n / 9.0, n FROM generate_series(1, 20) n`,
  },
  {
    table: weirdName,
    config: { mode: 'full', relation: { schema: 'public', table: weirdName } },
    sql: `CREATE TABLE ${name} ("ID" integer PRIMARY KEY, "two words" text, "q""uote" text, "naïve" text);
          INSERT INTO ${name} VALUES (1, 'a', 'b"', 'ç'), (2, NULL, '''', '')`,
  },
  {
    table: 'shop floor.Tills',
    config: { mode: 'full', target: { table: 'TILLS' } },
    sql: `CREATE SCHEMA "shop floor"; GRANT USAGE ON SCHEMA "shop floor" TO firn; CREATE TABLE "shop floor"."Tills" (id integer PRIMARY KEY, open boolean);
          GRANT SELECT ON "shop floor"."Tills" TO firn; INSERT INTO "shop floor"."Tills" VALUES (1, true), (2, NULL)`,
  },
  // What cannot be ingested, and says why.
  { table: 'not_there', config: { mode: 'full' }, sql: '' },
  {
    table: 'no_cursor',
    config: { mode: 'incremental', cursor_column: 'changed_at' },
    sql: 'CREATE TABLE no_cursor (id integer PRIMARY KEY)',
  },
  {
    table: 'text_cursor',
    config: { mode: 'incremental', cursor_column: 'flag' },
    sql: 'CREATE TABLE text_cursor (id integer PRIMARY KEY, flag boolean)',
  },
  {
    table: 'no_key',
    config: { mode: 'incremental', cursor_column: 'at' },
    sql: 'CREATE TABLE no_key (id integer, at timestamptz)',
  },
  {
    table: 'forbidden',
    config: { mode: 'full' },
    sql: 'CREATE TABLE forbidden (id integer PRIMARY KEY); REVOKE ALL ON forbidden FROM firn',
  },
  {
    table: 'null_cursor',
    config: { mode: 'incremental', cursor_column: 'at' },
    sql: 'CREATE TABLE null_cursor (id integer PRIMARY KEY, at timestamptz); INSERT INTO null_cursor VALUES (1, NULL)',
  },
  {
    table: 'bad_filter',
    config: { mode: 'full', row_filter: 'no_such_column = 1' },
    sql: 'CREATE TABLE bad_filter (id integer PRIMARY KEY)',
  },
  {
    table: 'not_a_number',
    config: { mode: 'full' },
    sql: "CREATE TABLE not_a_number (id integer PRIMARY KEY, v numeric(10,2)); INSERT INTO not_a_number VALUES (7, 'NaN')",
  },
  {
    table: 'same_names',
    config: { mode: 'full' },
    sql: 'CREATE TABLE same_names (id integer PRIMARY KEY, "Name" text, name text)',
  },
];
