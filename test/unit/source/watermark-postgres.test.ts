import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countNullCursors, readCursorColumn, timeBound } from '../../../core/source/postgres/cursor-column.js';
import { observe } from '../../../core/source/postgres/observe.js';
import { type Reading, safeTime, safeUpper, usableCheckpoints } from '../../../core/source/watermark.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

let server: RunningPostgres;
let admin: Client;
beforeAll(async () => {
  server = await startPostgres();
  admin = await server.connect();
});
afterAll(() => server.stop());

const relation = { schema: 'public', table: 'orders' };

beforeEach(async () => {
  const { rows } = await admin.query<{ gid: string }>('SELECT gid FROM pg_prepared_xacts');
  for (const { gid } of rows) await admin.query(`ROLLBACK PREPARED '${gid}'`);
  await admin.query(
    `DROP TABLE IF EXISTS orders; CREATE TABLE orders (id bigserial PRIMARY KEY, changed timestamptz NOT NULL DEFAULT now())`,
  );
});

/** Runs as the product makes them: observe, then read `cursor >= bound` from one snapshot, then compute the next bound. */
class Runs {
  readonly read = new Set<string>();
  private history: Reading[] = [];
  private bound: string | null = null;
  /** What a watermark of MAX(cursor) would have read: shows that a scenario bites. */
  readonly naive = new Set<string>();
  private max: string | null = null;

  constructor(
    private readonly reader: Client,
    private readonly column: 'changed' | 'id',
  ) {}

  async run(): Promise<void> {
    const cursor = await readCursorColumn(this.reader, relation, this.column);
    const present = await observe(this.reader, relation, cursor, null);
    await this.reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    for (const id of await this.above(this.bound)) this.read.add(id);
    for (const id of await this.above(this.max)) this.naive.add(id);
    const { rows } = await this.reader.query<{ max: string | null }>(`SELECT max(${this.column})::text AS max FROM orders`);
    await this.reader.query('COMMIT');
    this.max = rows[0]!.max;
    this.bound = this.column === 'changed' ? safeTime(this.history, present) : safeUpper(this.history, present);
    this.history = [...usableCheckpoints(this.history, present), present];
  }

  private async above(bound: string | null): Promise<string[]> {
    const condition = bound === null ? 'true' : `${this.column} >= '${bound}'`;
    return (await this.reader.query<{ id: string }>(`SELECT id::text FROM orders WHERE ${condition}`)).rows.map(({ id }) => id);
  }

  async missed(seen: Set<string> = this.read): Promise<string[]> {
    return (await this.reader.query<{ id: string }>('SELECT id::text FROM orders')).rows.map(({ id }) => id).filter((id) => !seen.has(id));
  }
}

type Scenario = (writer: Client, other: Client, run: () => Promise<void>) => Promise<unknown>;
const insert = 'INSERT INTO orders DEFAULT VALUES';

const scenarios: Record<string, Scenario> = {
  'an insert that commits after a later one was read': async (writer, other, run) => {
    await writer.query(`BEGIN; ${insert}`);
    await other.query(insert);
    await run();
    await writer.query('COMMIT');
    await run();
  },
  'a transaction that stays open over several runs': async (writer, other, run) => {
    await writer.query(`BEGIN; ${insert}`);
    for (let i = 0; i < 3; i++) {
      await other.query(insert);
      await run();
    }
    await writer.query('COMMIT');
    await run();
  },
  'a transaction that had only taken its time and number when the run observed': async (writer, other, run) => {
    await writer.query('BEGIN');
    const { rows } = await writer.query<{ id: string }>(`SELECT nextval('orders_id_seq')::text AS id, now()`);
    await other.query(insert);
    await run();
    await writer.query(`INSERT INTO orders VALUES (${rows[0]!.id}, now()); COMMIT`);
    await run();
  },
  'a prepared transaction that commits two runs later': async (writer, other, run) => {
    await run();
    await writer.query(`BEGIN; ${insert}`);
    await writer.query("PREPARE TRANSACTION 'late'");
    for (let i = 0; i < 2; i++) {
      await other.query(insert);
      await run();
    }
    await writer.query("COMMIT PREPARED 'late'");
    await run();
  },
  'a transaction open at one run, prepared at the next': async (writer, other, run) => {
    await writer.query(`BEGIN; ${insert}`);
    await other.query(insert);
    await run();
    await writer.query("PREPARE TRANSACTION 'late'");
    await other.query(insert);
    await run();
    await writer.query("COMMIT PREPARED 'late'");
    await run();
  },
};

describe.each(['changed', 'id'] as const)('late commits, cursor %s', (column) => {
  it.each(Object.entries(scenarios))('%s', async (_name, scenario) => {
    const runs = new Runs(await server.connect({ application: 'firn' }), column);
    await scenario(await server.connect(), await server.connect(), () => runs.run());
    expect(await runs.missed()).toEqual([]);
    expect(await runs.missed(runs.naive)).not.toEqual([]);
  });
});

describe('the fence', () => {
  const cursor = { name: 'changed', kind: 'time', type: 'timestamptz', nullable: false } as const;

  it('is held back by an open transaction, and names it', async () => {
    const writer = await server.connect({ application: 'billing' });
    await writer.query('BEGIN');
    const { rows } = await writer.query<{ pid: number; began: string }>(
      `SELECT pg_backend_pid() AS pid, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS began`,
    );
    const observation = await observe(admin, relation, cursor, null);
    await writer.query('ROLLBACK');
    expect(observation.oldest).toMatchObject({ pid: rows[0]!.pid, application: 'billing', since: rows[0]!.began });
    expect(observation.fence <= rows[0]!.began).toBe(true);
  });

  it("is not held back by Firn's own readers", async () => {
    const reader = await server.connect({ application: 'firn 01ABC' });
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1');
    const observation = await observe(admin, relation, cursor, null);
    await reader.query('COMMIT');
    expect(observation.oldest).toBeNull();
  });

  it('is refused without pg_read_all_stats, unless a lookback is declared', async () => {
    await admin.query('DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN');
    const plain = await server.connect({ user: 'plain' });
    await expect(observe(plain, relation, cursor, null)).rejects.toMatchObject({ code: 'FenceUnreadable' });
    const declared = await observe(plain, relation, cursor, 3600);
    expect(declared.warnings.join()).toContain('3600 s');
    expect(Date.parse(declared.readAt) - Date.parse(declared.fence)).toBeGreaterThan(3_500_000);
    await admin.query('GRANT pg_read_all_stats TO plain');
    expect((await observe(plain, relation, cursor, null)).warnings).toEqual([]);
  });

  it('is refused while a session hides its transactions', async () => {
    const hidden = await server.connect();
    await hidden.query('SET track_activities = off');
    await hidden.query('SELECT 1');
    await expect(observe(admin, relation, cursor, null)).rejects.toMatchObject({ code: 'FenceUnreadable' });
    await hidden.end();
  });
});

describe('the cursor column', () => {
  const table = (columns: string) => admin.query(`DROP TABLE IF EXISTS orders CASCADE; CREATE TABLE orders (${columns})`);

  it.each([
    ['timestamptz', 'time'],
    ['timestamp(3)', 'time'],
    ['date', 'time'],
    ['smallint', 'integer'],
    ['bigserial', 'integer'],
    ['bigint GENERATED ALWAYS AS IDENTITY', 'integer'],
  ])('%s is a cursor of kind %s', async (type, kind) => {
    await table(`c ${type}`);
    expect(await readCursorColumn(admin, relation, 'c')).toMatchObject({ name: 'c', kind });
  });

  it('a domain counts as its base type', async () => {
    await admin.query('DROP DOMAIN IF EXISTS moment; CREATE DOMAIN moment AS timestamptz NOT NULL');
    await table('c moment');
    expect(await readCursorColumn(admin, relation, 'c')).toMatchObject({ kind: 'time', type: 'timestamptz' });
    await table('c int');
  });

  it.each([
    ['c jsonb', 'c', 'CursorColumnUnsuitable', 'of type jsonb'],
    ['c int', 'gone', 'CursorColumnMissing', 'public.orders.gone'],
    ['c bigint GENERATED ALWAYS AS IDENTITY (CACHE 20)', 'c', 'CursorColumnUnsuitable', 'caches 20 values'],
    ['c bigint GENERATED ALWAYS AS IDENTITY (INCREMENT -1)', 'c', 'CursorColumnUnsuitable', 'counts down'],
  ])('%s, cursor %s: %s', async (columns, column, code, message) => {
    await table(columns);
    await expect(readCursorColumn(admin, relation, column)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('a cached sequence behind a serial default is refused', async () => {
    await table('c serial');
    await admin.query('ALTER SEQUENCE orders_c_seq CACHE 5');
    await expect(readCursorColumn(admin, relation, 'c')).rejects.toMatchObject({ code: 'CursorColumnUnsuitable' });
  });

  it('counts rows without a cursor, within the row filter', async () => {
    await table('c timestamptz, tenant int');
    await admin.query('INSERT INTO orders VALUES (NULL, 1), (NULL, 2), (now(), 1)');
    expect(await countNullCursors(admin, relation, 'c', null)).toBe(2);
    expect(await countNullCursors(admin, relation, 'c', 'tenant = 1')).toBe(1);
  });
});

describe('the lower bound in the type of the cursor', () => {
  it.each([
    ['timestamptz', '2025-07-01T12:00:00.123456Z', 60, null, '2025-07-01T11:59:00.123456Z'],
    ['timestamp', '2025-07-01T12:00:00.000000Z', 0, 'Europe/Berlin', '2025-07-01T14:00:00.000000'],
    // The clock is set back at 06:00 UTC: 01:00–02:00 comes again, so rows stamped 01:00 are still to come.
    ['timestamp', '2025-11-02T05:59:00.000000Z', 0, 'America/New_York', '2025-11-02T00:59:00.000000'],
    ['timestamp', '2025-11-02T06:30:00.000000Z', 0, 'America/New_York', '2025-11-02T01:30:00.000000'],
    // It is set forward at 07:00 UTC.
    ['timestamp', '2025-03-09T06:59:00.000000Z', 0, 'America/New_York', '2025-03-09T01:59:00.000000'],
    ['timestamp', '2025-07-01T12:00:00.000000Z', 60, null, '2025-06-30T23:59:00.000000'],
    ['date', '2025-07-01T11:00:00.000000Z', 0, null, '2025-06-30'],
    ['date', '2025-07-01T23:30:00.000000Z', 0, 'Europe/Berlin', '2025-07-02'],
  ] as const)('%s, safe %s, lookback %d s, zone %s: %s', async (type, safe, lookback, zone, bound) => {
    await admin.query("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'");
    expect(await timeBound(admin, type, safe, lookback, zone)).toBe(bound);
    await admin.query('RESET ALL');
  });
});
