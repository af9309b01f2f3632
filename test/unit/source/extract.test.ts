import { readdirSync } from 'node:fs';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Codec } from '../../../core/parquet/compression.js';
import { sharedRead } from '../../../core/source/postgres/extract-ranges.js';
import { defaultPolicies } from '../../../core/source/postgres/types.js';
import { duckdb, everything, extractTable, pyarrow, removeFolders, secretFor } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

let server: RunningPostgres;
let client: Client;
beforeAll(async () => {
  server = await startPostgres();
  client = await server.connect();
}, 60_000);
afterAll(() => server.stop());
afterEach(removeFolders);

/** Rows of a query at the source, each value as text. */
async function source(sql: string): Promise<unknown[][]> {
  return (await client.query({ text: sql, rowMode: 'array' })).rows;
}

describe('rows and files', () => {
  it('writes no file for an empty table', async () => {
    await client.query('CREATE TABLE empty (id int PRIMARY KEY, name text)');
    const { rows, files, folder } = await extractTable(client, { table: 'empty' });
    expect({ rows, files, onDisk: readdirSync(folder) }).toEqual({ rows: 0, files: [], onDisk: [] });
  });

  it('writes one row, with the constants of the run', async () => {
    await client.query("CREATE TABLE single (id int PRIMARY KEY, name text); INSERT INTO single VALUES (1, 'one')");
    const constants = { _FIRN_RUN: '01JBX7Q3M9C5V2KD8R4T6W0YZA', _FIRN_OP: 'R', _FIRN_ORDER: '000000000000002a/0000000000000000' };
    const { rows, files, folder } = await extractTable(client, { table: 'single' }, {}, { constants, metadata: { 'firn.run': 'x' } });
    expect(rows).toBe(1);
    expect(files).toEqual([{ name: '000.parquet', rows: 1, bytes: expect.any(Number) }]);
    expect(await duckdb(folder, 'SELECT * FROM t')).toEqual([[1, 'one', ...Object.values(constants)]]);
    expect(pyarrow(folder, 't.column_names')).toEqual(['ID', 'NAME', ...Object.keys(constants)]);
    expect(pyarrow(folder, "files[0].metadata.metadata[b'firn.run'].decode()")).toBe('x');
  });

  it('says the size of each file as it is on disk', async () => {
    await client.query('CREATE TABLE sized AS SELECT i AS id FROM generate_series(1, 1000) i');
    const { files, folder } = await extractTable(client, { table: 'sized' });
    expect(pyarrow(folder, "__import__('os').path.getsize(sys.argv[1] + '/000.parquet')")).toBe(files[0]!.bytes);
  });

  it('keeps all NULLs, of every storage', async () => {
    await client.query(`CREATE TABLE nulls (b bool, i int, l bigint, d numeric(38,5), t text, f float8, s text[], x timestamptz);
      INSERT INTO nulls SELECT FROM generate_series(1, 3000)`);
    const { folder } = await extractTable(client, { table: 'nulls' });
    expect(pyarrow(folder, '[c.null_count for c in t.columns]')).toEqual(Array(8).fill(3000));
    expect(
      await duckdb(folder, 'SELECT count(*), count(b), count(i), count(l), count(d), count(t), count(f), count(s), count(x) FROM t'),
    ).toEqual([['3000', ...Array(8).fill('0')]]);
  });

  it('reads 300 columns', async () => {
    const columns = Array.from({ length: 300 }, (_, i) => `c${i} ${['int', 'text', 'numeric(12,2)', 'timestamptz', 'bool'][i % 5]}`);
    const values = Array.from(
      { length: 300 },
      (_, i) => ['g', 'g::text', 'g / 4.0', "timestamptz 'epoch' + g * interval '1 hour'", 'g % 2 = 0'][i % 5],
    );
    await client.query(
      `CREATE TABLE wide (${columns.join(', ')}); INSERT INTO wide SELECT ${values.join(', ')} FROM generate_series(1, 5000) g`,
    );
    const { rows, folder } = await extractTable(client, { table: 'wide' });
    expect(rows).toBe(5000);
    const [sums] = await duckdb(
      folder,
      'SELECT sum(c0), sum(c295), sum(c296::int), sum(c297)::text, max(c298)::text, count(*) FILTER (c299) FROM t',
    );
    expect(sums).toEqual(['12502500', '12502500', '12502500', '3125625.00', '1970-07-28 08:00:00+00', '2500']);
  });

  it.each([
    ['row groups', undefined],
    ['files', 4 << 20],
  ])('splits a table into several %s and loses nothing', async (_, fileBytes) => {
    await client.query(`CREATE TABLE IF NOT EXISTS large AS SELECT i AS id, md5(i::text) AS h,
      CASE WHEN i % 3 = 0 THEN NULL ELSE repeat(md5((i * 7)::text), 5) END AS v FROM generate_series(1, 300000) i`);
    const progress: number[] = [];
    const more = { fileBytes, onProgress: (done: { rows: number }) => progress.push(done.rows) };
    const { rows, files, folder } = await extractTable(client, { table: 'large' }, {}, more);
    const groups = pyarrow<number[]>(folder, '[f.metadata.num_row_groups for f in files]');
    if (fileBytes === undefined) expect(groups).toEqual([3]);
    else expect(groups).toEqual([2, 1]);
    expect(files.reduce((sum, file) => sum + file.rows, 0)).toBe(rows);
    expect(progress.at(-1)).toBe(300_000);
    const facts = 'SELECT count(*), count(distinct id), count(v), sum(length(v)), max(md5(h || coalesce(v, id::text))), sum(id) FROM';
    expect((await duckdb(folder, `${facts} t`))[0]!.map(String)).toEqual((await source(`${facts} large`))[0]!.map(String));
  });

  it('reads rows larger than its buffers between small ones', async () => {
    await client.query(`CREATE TABLE huge AS SELECT i AS id, CASE WHEN i % 40 = 0 THEN repeat(md5(i::text), 1 << 18) ELSE 'small' || i END AS v,
      CASE WHEN i = 40 THEN decode(repeat('00ff', 4000000), 'hex') END AS b FROM generate_series(1, 100) i`);
    const { folder } = await extractTable(client, { table: 'huge' });
    const digests = 'SELECT id, md5(v) FROM';
    expect(await duckdb(folder, `${digests} t ORDER BY id`)).toEqual(await source(`${digests} huge ORDER BY id`));
    expect(pyarrow(folder, '[len(x) for x in t["B"].to_pylist() if x is not None]')).toEqual([8_000_000]);
  });

  it('reads a row of 300 MB', async () => {
    const columns = Array.from({ length: 20 }, (_, i) => `repeat(chr(97 + ${i}), 15000000) AS c${i}`);
    await client.query(`CREATE TABLE vast AS SELECT 1 AS id, ${columns.join(', ')}`);
    const { folder } = await extractTable(client, { table: 'vast' });
    const facts = 'SELECT count(*)::text, sum(length(c0) + length(c19))::text, max(md5(c7)) FROM';
    expect(await duckdb(folder, `${facts} t`)).toEqual(await source(`${facts} vast`));
  });

  it.each<Codec>(['zstd', 'snappy', 'none'])('compresses by %s', async (codec) => {
    await client.query(
      'DROP TABLE IF EXISTS packed; CREATE TABLE packed AS SELECT i AS id, i % 7 AS seven FROM generate_series(1, 5000) i',
    );
    const { folder } = await extractTable(client, { table: 'packed' }, {}, { codec });
    expect(await duckdb(folder, 'SELECT count(*), sum(seven) FROM t')).toEqual([['5000', '14997']]);
    expect(pyarrow(folder, 'files[0].metadata.row_group(0).column(1).compression')).toBe(
      codec === 'none' ? 'UNCOMPRESSED' : codec.toUpperCase(),
    );
  });
});

describe('which relation', () => {
  it('reads quoted names, and renames', async () => {
    await client.query(`CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema"."Or""ders.x" ("Id" int PRIMARY KEY, "naïve col" text, "select" int);
      INSERT INTO "My Schema"."Or""ders.x" VALUES (1, 'a', 2)`);
    const relation = { schema: 'My Schema', table: 'Or"ders.x' };
    const { folder, table } = await extractTable(client, relation, { columns: { rename: { select: 'Chosen' } } });
    expect(table.primaryKey).toEqual(['Id']);
    expect(pyarrow(folder, 't.to_pylist()')).toEqual([{ ID: 1, 'NAÏVE COL': 'a', Chosen: 2 }]);
  });

  it('leaves out dropped columns, reads generated ones', async () => {
    await client.query(`CREATE TABLE altered (a int PRIMARY KEY, gone text, b int, c int GENERATED ALWAYS AS (a * b) STORED, v int GENERATED ALWAYS AS (a + b));
      INSERT INTO altered VALUES (2, 'x', 3); ALTER TABLE altered DROP COLUMN gone; ALTER TABLE altered ADD COLUMN later int DEFAULT 9`);
    const { folder } = await extractTable(client, { table: 'altered' });
    expect(pyarrow(folder, 't.to_pylist()')).toEqual([{ A: 2, B: 3, C: 6, V: 5, LATER: 9 }]);
  });

  it('calls a column nullable that may hold NULL in spite of a NOT NULL', async () => {
    await client.query(`CREATE TABLE promised (id int PRIMARY KEY, late int, day date NOT NULL, note text);
      INSERT INTO promised VALUES (1, NULL, 'infinity', NULL); ALTER TABLE promised ADD CONSTRAINT late_not_null NOT NULL late NOT VALID`);
    const policies = { ...defaultPolicies, date_out_of_range: 'null' } as const;
    const { folder, table } = await extractTable(client, { table: 'promised' }, { policies });
    expect(table.columns.map(({ nullable }) => nullable)).toEqual([false, true, true, true]);
    expect(pyarrow(folder, 't.to_pylist()')).toEqual([{ ID: 1, LATE: null, DAY: null, NOTE: null }]);
  });

  it.each([
    [
      'view',
      'CREATE TABLE base_v AS SELECT i AS id FROM generate_series(1, 10) i; CREATE VIEW kind_view AS SELECT id, id * 1.5 AS x FROM base_v',
    ],
    ['materialized view', 'CREATE MATERIALIZED VIEW kind_matview AS SELECT i AS id FROM generate_series(1, 10) i'],
    [
      'partitioned table',
      `CREATE TABLE kind_parts (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
       CREATE TABLE kind_parts_1 PARTITION OF kind_parts FOR VALUES FROM ('2024-01-01') TO ('2024-01-06');
       CREATE TABLE kind_parts_2 (day date NOT NULL, id int NOT NULL);
       ALTER TABLE kind_parts ATTACH PARTITION kind_parts_2 FOR VALUES FROM ('2024-01-06') TO ('2025-01-01');
       INSERT INTO kind_parts SELECT i, date '2024-01-01' + i - 1 FROM generate_series(1, 10) i; ANALYZE kind_parts, kind_parts_1, kind_parts_2`,
    ],
  ])('reads a %s', async (kind, setup) => {
    await client.query(setup);
    const name = { view: 'kind_view', 'materialized view': 'kind_matview', 'partitioned table': 'kind_parts' }[kind]!;
    const { folder, table, rows } = await extractTable(client, { table: name });
    expect({ kind: table.kind, rows }).toEqual({ kind, rows: 10 });
    expect(await duckdb(folder, 'SELECT sum(id) FROM t')).toEqual([['55']]);
    if (kind === 'partitioned table') expect(table).toMatchObject({ primaryKey: ['id', 'day'], estimatedRows: 10 });
  });
});

describe('which rows', () => {
  beforeAll(async () => {
    await client.query(`CREATE TABLE chosen (id int PRIMARY KEY, tenant int, changed timestamptz);
      INSERT INTO chosen SELECT i, i % 3, CASE WHEN i % 10 = 0 THEN NULL ELSE timestamptz '2024-01-01 00:00Z' + i * interval '1 hour' END FROM generate_series(1, 100) i`);
  });

  const from = '2024-01-03T00:00:00.000000Z';
  const cases: [string, Partial<typeof everything>, string][] = [
    ['a filter that ends in a comment', { rowFilter: 'tenant = 1 OR tenant = 2 -- two of them' }, 'tenant IN (1, 2)'],
    [
      'a filter and a chunk',
      { rowFilter: 'tenant = 1 OR tenant = 2', chunk: { column: 'id', from: '10', to: '20' } },
      'tenant <> 0 AND id >= 10 AND id < 20',
    ],
    ['a first chunk, with NULLs', { chunk: { column: 'changed', from: null, to: from } }, `changed < '${from}' OR changed IS NULL`],
    ['a last chunk', { chunk: { column: 'id', from: '90', to: null } }, 'id >= 90'],
    ['a cursor, without NULLs', { cursor: { column: 'changed', from, onNull: 'exclude' } }, `changed >= '${from}'`],
    ['a cursor, with NULLs', { cursor: { column: 'changed', from, onNull: 'include' } }, `changed >= '${from}' OR changed IS NULL`],
    ['a first run by cursor, without NULLs', { cursor: { column: 'changed', from: null, onNull: 'exclude' } }, 'changed IS NOT NULL'],
    ['a first run by cursor, with NULLs', { cursor: { column: 'changed', from: null, onNull: 'include' } }, 'true'],
    ['a cursor that is never NULL', { cursor: { column: 'id', from: '50', onNull: 'error' } }, 'id >= 50'],
  ];
  it.each(cases)('reads %s', async (_, where, expected) => {
    const { folder } = await extractTable(client, { table: 'chosen' }, {}, { where: { ...everything, ...where } });
    const ids = (await duckdb(folder, 'SELECT id FROM t ORDER BY id')).flat();
    expect(ids).toEqual((await source(`SELECT id FROM chosen WHERE ${expected} ORDER BY id`)).flat());
  });

  it('refuses NULLs in the cursor column unless told', async () => {
    const where = { ...everything, cursor: { column: 'changed', from, onNull: 'error' as const } };
    await expect(extractTable(client, { table: 'chosen' }, {}, { where })).rejects.toMatchObject({ code: 'CursorIsNull' });
  });

  it('reads chosen columns', async () => {
    const settings = { columns: { exclude: ['tenant'] } };
    const { folder } = await extractTable(client, { table: 'chosen' }, settings, { where: { ...everything, rowFilter: 'id = 1' } });
    expect(pyarrow(folder, 't.column_names')).toEqual(['ID', 'CHANGED']);
  });
});

it('tells the clock of the snapshot: a row committed before it is read, one committed later is not', async () => {
  await client.query('CREATE TABLE clocked (id int)');
  await client.query('INSERT INTO clocked VALUES (1)');
  const [[before]] = (await source(`SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`)) as [[string]];
  const { readAsOf, rows } = await extractTable(client, { table: 'clocked' });
  expect(rows).toBe(1);
  expect(readAsOf > before).toBe(true);
});

it('writes statistics that readers may trust', async () => {
  await client.query(`CREATE TABLE measured AS SELECT i AS id, (i - 500)::bigint AS l, CASE WHEN i % 2 = 0 THEN NULL ELSE i / 8.0::float8 END AS f,
    ('é' || lpad(i::text, 5, '0') || repeat('x', 200))::text AS long, (i - 500)::numeric(30,2) AS d, i::text AS short FROM generate_series(1, 1000) i`);
  const { folder } = await extractTable(client, { table: 'measured' });
  const statistics = 'lambda s: [s.min, s.max, s.null_count]';
  expect(pyarrow(folder, `[(${statistics})(files[0].metadata.row_group(0).column(i).statistics) for i in [0, 1, 2, 4, 5]]`)).toEqual([
    [1, 1000, 0],
    [-499, 500, 0],
    [0.125, 124.875, 500],
    ['-499.00', '500.00', 0],
    ['1', '999', 0],
  ]);
  const bounds = pyarrow<[string, string]>(folder, '(lambda s: [s.min, s.max])(files[0].metadata.row_group(0).column(3).statistics)');
  expect(bounds[0] <= `é00001${'x'.repeat(200)}` && bounds[1] >= `é01000${'x'.repeat(200)}`).toBe(true);
  expect(Math.max(...bounds.map((bound) => Buffer.byteLength(bound)))).toBeLessThanOrEqual(64);
  expect(await duckdb(folder, 'SELECT min(long), max(long) FROM t')).toEqual(await source('SELECT min(long), max(long) FROM measured'));
  expect(await duckdb(folder, `SELECT count(*) FROM t WHERE long = 'é01000${'x'.repeat(200)}'`)).toEqual([['1']]);
});

it('writes statistics of all rows of a group, however they arrive', async () => {
  await client.query(`CREATE TABLE scattered AS SELECT md5(i::text) AS unique, 'v' || (i * 7919 % 5003) AS repeated, (i * 7919 % 100003) AS n
    FROM generate_series(1, 60000) i`);
  const { folder } = await extractTable(client, { table: 'scattered' });
  const bounds = '[(lambda s: [s.min, s.max])(files[0].metadata.row_group(0).column(i).statistics) for i in range(3)]';
  const expected = await source(
    `SELECT min("unique"), max("unique"), min(repeated COLLATE "C"), max(repeated COLLATE "C"), min(n), max(n) FROM scattered`,
  );
  expect(pyarrow<unknown[][]>(folder, bounds).flat()).toEqual(expected[0]);
});

describe('several connections', () => {
  it.each([
    ['a table', 'TABLE shared_table', ''],
    ['a partitioned table', 'TABLE shared_parts', 'PARTITION BY HASH (id)'],
  ])('read each row of %s once, while others write', async (_, create, partition) => {
    const name = create.slice(6);
    await client.query(`CREATE ${create} (id int, v text, at timestamptz) ${partition}`);
    if (partition)
      for (let i = 0; i < 3; i++)
        await client.query(`CREATE TABLE ${name}_${i} PARTITION OF ${name} FOR VALUES WITH (MODULUS 3, REMAINDER ${i})`);
    await client.query(
      `INSERT INTO ${name} SELECT i, repeat(md5(i::text), 4), now() FROM generate_series(1, 120000) i; DELETE FROM ${name} WHERE id % 7 = 0`,
    );
    const facts = 'SELECT count(*)::text, sum(id)::text, max(md5(v)), min(md5(v)) FROM';
    const expected = await source(`${facts} ${name}`);
    // No connection gets beyond its first row before all three are there, and others have written.
    await client.query('SELECT pg_advisory_lock(3)');
    const filter = "pg_advisory_xact_lock_shared(3)::text = ''";
    const extracting = extractTable(
      client,
      { table: name },
      {},
      { connections: 3, where: { rowFilter: filter, cursor: null, chunk: null } },
    );
    const waiting = "SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    await expect.poll(() => source(waiting), { timeout: 20_000 }).toEqual([[3]]);
    await client.query(`INSERT INTO ${name} SELECT i, 'late', now() FROM generate_series(200000, 230000) i`);
    await client.query(`UPDATE ${name} SET v = v || 'x'`);
    await client.query('SELECT pg_advisory_unlock(3)');
    const { folder, files, rows } = await extracting;
    expect(files.length).toBe(3);
    expect(rows).toBe(Number(expected[0]![0]));
    expect(await duckdb(folder, `${facts} t`)).toEqual(expected);
  });

  it('are as many as the server has for the user', async () => {
    await client.query(`CREATE ROLE limited LOGIN CONNECTION LIMIT 2; CREATE TABLE limited_table AS
      SELECT i AS id, repeat(md5(i::text), 4) AS v FROM generate_series(1, 120000) i; GRANT SELECT ON limited_table TO limited`);
    const connection = { ...secretFor(server.port), user: 'limited' };
    const { rows, connections, refused, folder } = await extractTable(
      client,
      { table: 'limited_table' },
      {},
      { connection, connections: 5 },
    );
    expect({ rows, connections }).toEqual({ rows: 120_000, connections: 2 });
    expect(refused).toMatchObject(Array(3).fill({ code: 'SourceBusy' }));
    expect(await duckdb(folder, 'SELECT count(distinct id) FROM t')).toEqual([['120000']]);
  });

  it('end with the first that fails, and with them their queries', async () => {
    await client.query('CREATE TABLE failing AS SELECT i AS id, repeat(md5(i::text), 4) AS v FROM generate_series(1, 120000) i');
    await client.query('SELECT pg_advisory_lock(4), pg_advisory_lock(5)');
    // The first row fails when it has its lock; the other connections wait for another one, which they do not get.
    const filter = `CASE WHEN id = 1 THEN 1 / length(pg_advisory_xact_lock_shared(5)::text) > 0
      ELSE pg_advisory_xact_lock_shared(4)::text = '' END`;
    const where = { ...everything, rowFilter: filter };
    const extracting = extractTable(client, { table: 'failing' }, {}, { connections: 3, where }).catch((e: unknown) => e);
    const waiting = "SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    await expect.poll(() => source(waiting), { timeout: 20_000 }).toEqual([[3]]);
    await client.query('SELECT pg_advisory_unlock(5)');
    expect(await extracting).toMatchObject({ code: 'SourceQueryFailed', message: expect.stringContaining('division by zero') });
    await expect.poll(() => source(waiting)).toEqual([[0]]);
    await client.query('SELECT pg_advisory_unlock(4)');
  });

  it('are one on a standby', async () => {
    const standby = await startPostgres({}, true);
    try {
      const session = await standby.connect();
      const [{ oid }] = (await session.query("SELECT 'pg_class'::regclass::oid::int AS oid")).rows;
      expect(await sharedRead(session, oid, 2)).toBeNull();
    } finally {
      await standby.stop();
    }
  });

  it.each([
    { what: 'a first run by cursor', cursor: { column: 'id', from: null, onNull: 'error' }, chunk: null, connections: 2, rows: 120_000 },
    { what: 'a later run by cursor', cursor: { column: 'id', from: '9', onNull: 'error' }, chunk: null, connections: 1, rows: 119_992 },
    { what: 'a chunk', cursor: null, chunk: { column: 'id', from: null, to: '9' }, connections: 1, rows: 8 },
  ] as const)('of two allowed $what takes $connections', async ({ cursor, chunk, connections, rows }) => {
    await client.query(`CREATE TABLE IF NOT EXISTS chosen_by (id int PRIMARY KEY, v text); TRUNCATE chosen_by;
      INSERT INTO chosen_by SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 120000) i`);
    const where = { rowFilter: null, cursor, chunk };
    expect(await extractTable(client, { table: 'chosen_by' }, {}, { connections: 2, where })).toMatchObject({ rows, connections });
  });

  it.each([
    ['a small table', 'CREATE TABLE alone_small AS SELECT 1 AS id', 'alone_small'],
    ['a view', 'CREATE VIEW alone_view AS SELECT i AS id FROM generate_series(1, 10) i', 'alone_view'],
  ])('are one for %s', async (_, setup, table) => {
    await client.query(setup);
    const { files } = await extractTable(client, { table }, {}, { connections: 4 });
    expect(files.length).toBe(1);
  });
});
