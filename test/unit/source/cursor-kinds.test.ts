import type { Client } from 'pg';
import { monotonicFactory, ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tableConfigSchema } from '../../../core/config/schema.js';
import type { Watermark } from '../../../core/plan/plan.js';
import { planCursor } from '../../../core/plan/plan-cursor.js';
import { countNullCursors, readCursorColumn, timeBound } from '../../../core/source/postgres/cursor-column.js';
import { observe } from '../../../core/source/postgres/observe.js';
import { cursorCondition } from '../../../core/source/postgres/query.js';
import { postgresSession } from '../../../core/source/postgres/source.js';
import { leastId } from '../../../core/source/postgres/time-ordered-id.js';
import { writtenSince } from '../../../core/source/postgres/xmin.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

let server: RunningPostgres;
let admin: Client;
beforeAll(async () => {
  server = await startPostgres();
  admin = await server.connect({ application: 'firn' });
});
afterAll(() => server.stop());
beforeEach(() => admin.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'));

const relation = { schema: 'public', table: 'orders' };
const planned = (settings: Record<string, unknown>, history: Watermark[] = [], client = admin) =>
  planCursor(
    postgresSession(client),
    relation,
    tableConfigSchema.parse({ table: 'orders', mode: 'incremental', ...settings }),
    'incremental',
    history,
  );

const newYear = Date.parse('2026-01-01T00:00:00Z');

describe('the least identifier of a moment', () => {
  it.each([
    ['uuid', newYear, '019b76da-a800-0000-0000-000000000000'],
    ['uuid text', newYear, '019b76da-a800-0000-0000-000000000000'],
    ['ulid', newYear, '01KDVDNA000000000000000000'],
    ['ulid', -1, '00000000000000000000000000'],
    ['uuid', 2 ** 48 - 1, 'ffffffff-ffff-0000-0000-000000000000'],
  ] as const)('%s at %d: %s', (type, at, least) => {
    expect(leastId(type, at)).toBe(least);
  });

  it('is not above any ULID of that millisecond, and above all before', () => {
    const [draw, earlier] = [monotonicFactory(), ulid(newYear - 1)];
    for (let i = 0; i < 100; i++) expect(draw(newYear) >= leastId('ulid', newYear)).toBe(true);
    expect(earlier < leastId('ulid', newYear)).toBe(true);
  });

  it('is cut off to the millisecond, and lies the lookback before the safe time', async () => {
    const bound = await timeBound(admin, 'uuid', '2026-01-01T00:01:00.000999Z', 60, null);
    expect(bound).toBe(leastId('uuid', newYear));
  });
});

describe('a cursor of identifiers that begin with their time', () => {
  const v7 = '019b76da-a800-7abc-8def-0123456789ab';
  const v4 = '0b0e8f52-6d0c-4f4e-9a3c-2f4f6d0f6b7a';

  it.each<{ column: string; values: string[]; settings?: object; says: string | null }>([
    { column: 'uuid', values: [v7], settings: { lookback_seconds: 5 }, says: null },
    { column: 'uuid DEFAULT uuidv7()', values: [v7], says: null },
    { column: 'uuid', values: [v7], says: 'declare lookback_seconds above the skew' },
    { column: "uuid DEFAULT uuidv7('-1 day')", values: [], says: 'declare lookback_seconds above the skew' },
    { column: 'uuid DEFAULT gen_random_uuid()', values: [v7, v4], settings: { lookback_seconds: 5 }, says: `holds "${v4}"` },
    { column: 'text', values: ['01KDVDNA00ABCDEFGHJKMNPQRS'], settings: { lookback_seconds: 5 }, says: null },
    { column: 'char(26)', values: ['01KDVDNA00ABCDEFGHJKMNPQRS'], settings: { lookback_seconds: 5 }, says: null },
    { column: 'varchar(36)', values: [v7], settings: { lookback_seconds: 5 }, says: null },
    { column: 'text', values: ['01KDVDNA00ABCDEFGHJKMNPQRS'], says: 'declare lookback_seconds above the skew' },
    { column: 'text', values: ['01kdvdna00abcdefghjkmnpqrs'], settings: { lookback_seconds: 5 }, says: 'is not a ULID in upper case' },
    { column: 'text', values: [v7.toUpperCase()], settings: { lookback_seconds: 5 }, says: 'is not a UUID of version 7 in lower case' },
    { column: 'text', values: ['2026-01-01 00:00:00'], settings: { lookback_seconds: 5 }, says: 'does not sort by time' },
    { column: 'text', values: [v7, '01KDVDNA00ABCDEFGHJKMNPQRS'], settings: { lookback_seconds: 5 }, says: 'holds "01KDVDNA00' },
    { column: 'text', values: [], settings: { lookback_seconds: 5 }, says: null },
  ])('$column, values $values, $settings: $says', async ({ column, values, settings, says }) => {
    await admin.query(`CREATE TABLE orders (id serial PRIMARY KEY, c ${column} NOT NULL)`);
    for (const value of values) await admin.query('INSERT INTO orders (c) VALUES ($1)', [value]);
    const plan = planned({ cursor_column: 'c', ...settings });
    if (says === null) expect((await plan).cursor).toMatchObject({ column: 'c', from: null });
    else await expect(plan).rejects.toMatchObject({ code: 'CursorColumnUnsuitable', message: expect.stringContaining(says) });
  });

  it('looks at the values from the bound on, not at all of them again', async () => {
    await admin.query(`CREATE TABLE orders (id serial PRIMARY KEY, c uuid NOT NULL); INSERT INTO orders (c) VALUES (uuidv7())`);
    const { watermarkAfter } = await planned({ cursor_column: 'c', lookback_seconds: 0 });
    await admin.query(`INSERT INTO orders (c) VALUES ('00000000-0000-4000-8000-000000000000')`);
    await planned({ cursor_column: 'c', lookback_seconds: 0 }, [watermarkAfter]);
    await admin.query(`INSERT INTO orders (c) VALUES ('ffffffff-0000-4000-8000-000000000000')`);
    await expect(planned({ cursor_column: 'c', lookback_seconds: 0 }, [watermarkAfter])).rejects.toMatchObject({
      code: 'CursorColumnUnsuitable',
    });
  });

  it('text is compared by its bytes, whatever its collation', async () => {
    await admin.query(
      `CREATE COLLATION backwards (provider = icu, locale = 'und', rules = '&Z < 0 < 1 < 2'); CREATE TABLE orders (c text COLLATE backwards)`,
    );
    await admin.query(`INSERT INTO orders VALUES ('01AAAAAAAA'), ('01ZZZZZZZZ'), ('00ZZZZZZZZ')`);
    const condition = cursorCondition({ column: 'c', from: '01BBBBBBBB', onNull: 'error', comparison: 'bytes' });
    expect((await admin.query(`SELECT c FROM orders WHERE ${condition}`)).rows).toEqual([{ c: '01ZZZZZZZZ' }]);
  });
});

describe('xmin as the cursor', () => {
  const xmin = { cursor_column: 'xmin' };
  const table = 'CREATE TABLE orders (id int PRIMARY KEY, v text)';
  const ids = async (from: string) =>
    (await admin.query<{ id: number }>(`SELECT id FROM orders WHERE ${writtenSince(from)} ORDER BY id`)).rows.map(({ id }) => id);

  it.each([
    { what: 'a view', sql: 'CREATE VIEW orders AS SELECT 1 AS id' },
    { what: 'a materialized view', sql: 'CREATE MATERIALIZED VIEW orders AS SELECT 1 AS id' },
    {
      what: 'a table with a foreign partition',
      sql: `CREATE EXTENSION IF NOT EXISTS file_fdw; CREATE SERVER IF NOT EXISTS files FOREIGN DATA WRAPPER file_fdw;
        CREATE TABLE orders (id int) PARTITION BY LIST (id); CREATE TABLE here PARTITION OF orders FOR VALUES IN (1);
        CREATE FOREIGN TABLE there PARTITION OF orders FOR VALUES IN (2) SERVER files OPTIONS (filename '/dev/null')`,
    },
  ])('is refused for $what', async ({ sql }) => {
    await admin.query(sql);
    await expect(planned(xmin)).rejects.toMatchObject({ code: 'CursorColumnUnsuitable', message: expect.stringContaining('heap') });
  });

  it.each([
    { what: 'a table', sql: table },
    {
      what: 'partitions of partitions',
      sql: `CREATE TABLE orders (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF orders FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
        CREATE TABLE lowest PARTITION OF low FOR VALUES FROM (0) TO (10); CREATE TABLE high PARTITION OF orders FOR VALUES FROM (10) TO (1000)`,
    },
    { what: 'a table with children', sql: `${table}; CREATE TABLE child (PRIMARY KEY (id)) INHERITS (orders)` },
  ])('reads what was inserted and updated since, from $what', async ({ sql }) => {
    await admin.query(sql);
    await admin.query("INSERT INTO orders SELECT n, 'a' FROM generate_series(1, 20) n");
    const { watermarkAfter } = await planned(xmin);
    await admin.query("UPDATE orders SET v = 'b' WHERE id = 3; INSERT INTO orders VALUES (21, 'a')");
    await admin.query('VACUUM (FREEZE) orders');
    const next = await planned(xmin, [watermarkAfter]);
    expect(next.cursor).toEqual({ column: 'xmin', from: watermarkAfter.upper, onNull: 'exclude', comparison: 'xid' });
    expect(await ids(next.cursor!.from!)).toEqual([3, 21]);
  });

  it('needs no privilege, and no lookback', async () => {
    await admin.query(
      `${table}; DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN; GRANT USAGE ON SCHEMA public TO plain; GRANT SELECT ON orders TO plain`,
    );
    const plain = await server.connect({ user: 'plain' });
    expect((await planned(xmin, [], plain)).warnings).toEqual([]);
  });

  it('is held back by a transaction that has written, in whatever database, and names it; not by one that reads', async () => {
    await admin.query(table);
    await admin.query('DROP DATABASE IF EXISTS elsewhere');
    await admin.query('CREATE DATABASE elsewhere');
    const [reading, writing] = [
      await server.connect({ application: 'reading' }),
      await server.connect({ application: 'billing', database: 'elsewhere' }),
    ];
    await reading.query('BEGIN; SELECT now()');
    expect((await planned(xmin)).heldBack).toBeNull();
    const { rows } = await writing
      .query<{ pid: number; xid: string }>('BEGIN; SELECT 1')
      .then(() => writing.query('SELECT pg_backend_pid() AS pid, pg_current_xact_id()::text AS xid'));
    const plan = await planned({ ...xmin, hold_back_warning_seconds: 0 });
    expect(plan.watermarkAfter.lowerBound).toBe(rows[0]!.xid);
    expect(plan.heldBack).toMatchObject({ pid: rows[0]!.pid, application: 'billing' });
    expect(plan.warnings.join()).toContain(`Session ${rows[0]!.pid} (postgres, billing) has had a transaction open`);
    await Promise.all([reading, writing].map((client) => client.query('ROLLBACK')));
    await writing.end();
  });

  it('is held back by a prepared transaction, and names it', async () => {
    await admin.query(table);
    const writer = await server.connect();
    await writer.query("BEGIN; INSERT INTO orders VALUES (1, 'a')");
    await writer.query("PREPARE TRANSACTION 'stuck'");
    expect((await planned(xmin)).heldBack).toMatchObject({ prepared: 'stuck', pid: null });
    const time = await planned({ cursor_column: 'xmin', hold_back_warning_seconds: 0 });
    expect(time.warnings.join()).toContain('Prepared transaction "stuck" has waited for 0 s');
    await writer.query("ROLLBACK PREPARED 'stuck'");
  });

  it('tells old from new across the turn of the 32-bit counter, and takes everything when too many transactions have passed', async () => {
    // The counter of a new server stands near 0: seen from there, ten transactions before it lie just below 2^32, and 2147484000 is older
    // than age() can tell.
    const rows = async (from: string) =>
      (
        await admin.query<{ xmin: string }>(
          `SELECT xmin::text FROM unnest('{2147484000,4294967280,4294967285,4294967286,4294967290,3,700}'::xid[]) AS t(xmin) WHERE ${writtenSince(from)}`,
        )
      ).rows.map(({ xmin: text }) => text);
    expect(await rows('-10')).toEqual(['4294967286', '4294967290', '3', '700']);
    expect(await rows(String(-(2n ** 31n)))).toHaveLength(7);
  });

  it.each<{ what: string; before: (watermark: Watermark) => Partial<Watermark>; says: string }>([
    { what: 'was promoted or restored', before: () => ({ server: '7/00000001' }), says: 'is another server than before' },
    { what: 'lies behind', before: ({ upper }) => ({ lowerBound: String(BigInt(upper!) + 5n) }), says: 'its transactions are at' },
    {
      what: 'is 2^31 transactions on',
      before: ({ upper }) => ({ lowerBound: String(BigInt(upper!) - 2n ** 31n) }),
      says: 'too many to compare',
    },
  ])('reads everything again when the source $what', async ({ before, says }) => {
    await admin.query(table);
    const { watermarkAfter } = await planned(xmin);
    const plan = await planned(xmin, [{ ...watermarkAfter, ...before(watermarkAfter) }]);
    expect(plan.cursor!.from).toBeNull();
    expect(plan.warnings.join()).toContain(says);
  });

  it('reads everything by another cursor after xmin, and by xmin after another', async () => {
    await admin.query('CREATE TABLE orders (id int PRIMARY KEY, changed timestamptz NOT NULL DEFAULT now())');
    const byXmin = await planned(xmin);
    const byTime = await planned({ cursor_column: 'changed' }, [byXmin.watermarkAfter]);
    expect(byTime.cursor!.from).toBeNull();
    expect(byTime.watermarkAfter.safe).toBe(byTime.watermarkAfter.fence);
    expect((await planned(xmin, [byTime.watermarkAfter])).cursor!.from).toBeNull();
  });
});

describe('an integer cursor on another server', () => {
  it('reads everything again: numbers that a promoted standby has lost are given out anew', async () => {
    await admin.query('CREATE TABLE orders (id bigserial PRIMARY KEY); INSERT INTO orders DEFAULT VALUES');
    const { watermarkAfter } = await planned({ cursor_column: 'id' });
    expect((await planned({ cursor_column: 'id' }, [watermarkAfter])).cursor!.from).toBe('1');
    const plan = await planned({ cursor_column: 'id' }, [{ ...watermarkAfter, server: '7/00000001' }]);
    expect(plan.cursor!.from).toBeNull();
    expect(plan.watermarkAfter.lowerBound).toBe('1');
    expect(plan.warnings.join()).toContain('another server than before');
  });
});

describe('on a standby', () => {
  let standby: RunningPostgres;
  beforeAll(async () => {
    standby = await startPostgres({}, true);
  }, 60_000);
  afterAll(() => standby.stop());
  const catalog = { schema: 'pg_catalog', table: 'pg_class' };
  const cursor = { name: 'changed', kind: 'time', type: 'timestamptz', nullable: false } as const;

  it('a time cursor is refused without a declared lookback, and warned of with one', async () => {
    const client = await standby.connect();
    await expect(observe(client, catalog, cursor, null)).rejects.toMatchObject({
      code: 'FenceUnreadable',
      message: expect.stringContaining('is a standby'),
    });
    const { warnings, fence, readAt } = await observe(client, catalog, cursor, 600);
    expect(warnings.join()).toContain('the declared lookback of 600 s stands in');
    expect(Date.parse(readAt) - Date.parse(fence)).toBeGreaterThan(590_000);
  });

  it('xmin is refused', async () => {
    await expect(readCursorColumn(await standby.connect(), catalog, 'xmin')).rejects.toMatchObject({
      code: 'CursorColumnUnsuitable',
      message: expect.stringContaining('on the primary'),
    });
  });
});

describe('rows without a cursor', () => {
  it.each([
    { onNull: 'include', ids: [1, 3] },
    { onNull: 'exclude', ids: [3] },
  ] as const)('on_null_cursor: $onNull', async ({ onNull, ids }) => {
    await admin.query(`CREATE TABLE orders (id int, changed timestamptz);
      INSERT INTO orders VALUES (1, NULL), (2, '2025-01-01'), (3, '2026-01-01')`);
    expect(await readCursorColumn(admin, relation, 'changed')).toMatchObject({ nullable: true });
    expect(await countNullCursors(admin, relation, 'changed', null)).toBe(1);
    expect((await planned({ cursor_column: 'changed', on_null_cursor: onNull })).cursor).toMatchObject({ onNull });
    const condition = cursorCondition({ column: 'changed', from: '2025-06-01', onNull });
    expect((await admin.query(`SELECT id FROM orders WHERE ${condition} ORDER BY id`)).rows.map(({ id }) => id)).toEqual(ids);
  });

  it('on_null_cursor: error is refused with their number', async () => {
    await admin.query('CREATE TABLE orders (id int, changed timestamptz); INSERT INTO orders VALUES (1, NULL)');
    await expect(planned({ cursor_column: 'changed' })).rejects.toMatchObject({
      code: 'CursorIsNull',
      message: expect.stringContaining('1 rows'),
    });
  });
});
