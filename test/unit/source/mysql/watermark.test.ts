import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, query, type Session } from '../../../../core/source/mysql/connection.js';
import { countNullCursors, readCursorColumn, timeBound } from '../../../../core/source/mysql/cursor-column.js';
import { observe } from '../../../../core/source/mysql/observe.js';
import { type Reading, safeTime, safeUpper, usableCheckpoints } from '../../../../core/source/watermark.js';
import { type RunningMysql, startMysql } from './running-mysql.js';

let server: RunningMysql;
let admin: Connection;
beforeAll(async () => {
  server = await startMysql();
  admin = await server.connect();
});
afterAll(() => server.stop());

const relation = { schema: 'shop', table: 'orders' };
const insert = 'INSERT INTO orders () VALUES ()';

beforeEach(async () => {
  const [prepared] = await admin.query<never[]>('XA RECOVER');
  for (const { data } of prepared as { data: string }[]) await admin.query(`XA ROLLBACK '${data}'`);
  await admin.query(`DROP TABLE IF EXISTS orders;
    CREATE TABLE orders (id bigint AUTO_INCREMENT PRIMARY KEY, changed timestamp(6) NOT NULL DEFAULT now(6) ON UPDATE now(6))`);
});

/** Runs as the product makes them, without any lookback: observe, read `cursor >= bound` from one snapshot, then compute the next bound. */
class Runs {
  readonly read = new Set<string>();
  /** What a watermark of MAX(cursor) would have read: shows that a scenario bites. */
  readonly naive = new Set<string>();
  private history: Reading[] = [];
  private bound: string | null = null;
  private max: string | null = null;

  constructor(
    private reader: Session,
    private readonly column: 'changed' | 'id',
  ) {}

  async run(): Promise<void> {
    const cursor = await readCursorColumn(this.reader, relation, this.column);
    const present = await observe(this.reader, relation, cursor, null);
    await query(this.reader, 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    for (const id of await this.above(this.bound)) this.read.add(id);
    for (const id of await this.above(this.max)) this.naive.add(id);
    const [row] = await query<{ max: string | null }>(this.reader, `SELECT CAST(MAX(${this.column}) AS CHAR) AS max FROM orders`);
    await query(this.reader, 'COMMIT');
    this.max = row!.max;
    const bound = this.column === 'changed' ? safeTime(this.history, present) : safeUpper(this.history, present);
    this.bound = bound === null ? null : bound.replace('T', ' ').replace('Z', '');
    this.history = [...usableCheckpoints(this.history, present), present];
  }

  /** After the server has been away. */
  async reconnect(): Promise<void> {
    this.reader = await connect(server.secret);
  }

  private async above(bound: string | null): Promise<string[]> {
    const condition = bound === null ? 'true' : `${this.column} >= '${bound}'`;
    return (await query<{ id: number }>(this.reader, `SELECT id FROM orders WHERE ${condition}`)).map(({ id }) => String(id));
  }

  async missed(seen: Set<string> = this.read): Promise<string[]> {
    return (await this.above(null)).filter((id) => !seen.has(id));
  }

  end(): void {
    this.reader.connection.destroy();
  }
}

interface Cast {
  writer: Connection;
  other: Connection;
  run(): Promise<void>;
  /** The server goes and comes back; sessions are new. */
  restart(): Promise<void>;
}

const scenarios: Record<string, (cast: Cast) => Promise<unknown>> = {
  'an insert that commits after a later one was read': async ({ writer, other, run }) => {
    await writer.query(`BEGIN; ${insert}`);
    await other.query(insert);
    await run();
    await writer.query('COMMIT');
    await run();
  },
  'a transaction that stays open over several runs': async ({ writer, other, run }) => {
    await writer.query(`BEGIN; ${insert}`);
    for (let i = 0; i < 3; i++) {
      await other.query(insert);
      await run();
    }
    await writer.query('COMMIT');
    await run();
  },
  'a prepared transaction that commits two runs later': async ({ writer, other, run }) => {
    await run();
    await writer.query(`XA START 'late'; ${insert}; XA END 'late'; XA PREPARE 'late'`);
    for (let i = 0; i < 2; i++) {
      await other.query(insert);
      await run();
    }
    await writer.query("XA COMMIT 'late'");
    await run();
  },
  'a transaction open at one run, prepared at the next': async ({ writer, other, run }) => {
    await writer.query(`XA START 'late'; ${insert}`);
    await other.query(insert);
    await run();
    await writer.query("XA END 'late'; XA PREPARE 'late'");
    await other.query(insert);
    await run();
    await writer.query("XA COMMIT 'late'");
    await run();
  },
  // InnoDB then tells the time of the recovery as its start.
  'a prepared transaction that outlives the server': async (cast) => {
    await cast.run();
    await cast.writer.query(`XA START 'late'; ${insert}; XA END 'late'; XA PREPARE 'late'`);
    await cast.other.query(insert);
    await cast.run();
    await cast.restart();
    await cast.other.query(insert);
    await cast.run();
    await cast.other.query("XA COMMIT 'late'");
    await cast.run();
  },
  // InnoDB renews its list of transactions only when nobody has looked at it for a moment.
  'a transaction that began just after somebody had looked at the list': async ({ writer, other, run }) => {
    await run();
    await other.query('SELECT COUNT(*) FROM information_schema.INNODB_TRX');
    await writer.query(`BEGIN; ${insert}`);
    await other.query(insert);
    await run();
    await writer.query('COMMIT');
    await run();
  },
};

describe.each(['changed', 'id'] as const)('late commits, cursor %s', (column) => {
  it.each(Object.entries(scenarios))('%s', async (_name, scenario) => {
    const runs = new Runs(await connect(server.secret), column);
    const cast: Cast = {
      writer: await server.connect(),
      other: await server.connect(),
      run: () => runs.run(),
      restart: async () => {
        await server.restart();
        cast.writer = await server.connect();
        cast.other = await server.connect();
        await runs.reconnect();
        admin = await server.connect();
      },
    };
    await scenario(cast);
    expect(await runs.missed()).toEqual([]);
    expect(await runs.missed(runs.naive)).not.toEqual([]);
    runs.end();
  });

  it('an insert that has taken its time and waits to begin its transaction', async () => {
    const runs = new Runs(await connect(server.secret), column);
    const [writer, other] = [await server.connect(), await server.connect()];
    await other.query('FLUSH TABLES WITH READ LOCK');
    const waiting = writer.query(insert);
    await expect
      .poll(async () => (await admin.query<never[]>(`SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO = '${insert}'`))[0].length, {
        timeout: 20_000,
      })
      .toBe(1);
    await runs.run();
    await other.query('UNLOCK TABLES');
    await waiting;
    await runs.run();
    expect(await runs.missed()).toEqual([]);
    runs.end();
  });
});

/** The same choices on every machine. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

it.each([
  ['changed', 1],
  ['changed', 2],
  ['id', 3],
] as const)(
  'no row is missed by %s, whoever commits when (seed %d)',
  async (column, seed) => {
    const pick = random(seed);
    const runs = new Runs(await connect(server.secret), column);
    const writers = await Promise.all(Array.from({ length: 4 }, async () => ({ session: await server.connect(), state: 'idle', xid: '' })));
    let xids = 0;
    for (let step = 0; step < 140; step++) {
      const writer = writers[pick(writers.length)]!;
      const { session, state, xid } = writer;
      if (step % 10 === 9) await runs.run();
      else if (state === 'idle') {
        const prepares = pick(3) === 0;
        writer.xid = prepares ? `x${seed}_${xids++}` : '';
        await session.query(`${prepares ? `XA START '${writer.xid}'` : 'BEGIN'}; ${insert}`);
        writer.state = 'open';
      } else if (state === 'prepared') {
        await session.query(pick(4) === 0 ? `XA ROLLBACK '${xid}'` : `XA COMMIT '${xid}'`);
        writer.state = 'idle';
      } else if (pick(3) > 0) await session.query(insert);
      else if (xid !== '') {
        await session.query(`XA END '${xid}'; XA PREPARE '${xid}'`);
        writer.state = 'prepared';
      } else {
        await session.query(pick(5) === 0 ? 'ROLLBACK' : 'COMMIT');
        writer.state = 'idle';
      }
    }
    for (const { session, state, xid } of writers) {
      if (state === 'prepared') await session.query(`XA COMMIT '${xid}'`);
      else if (state === 'open') await session.query(xid === '' ? 'COMMIT' : `XA END '${xid}'; XA PREPARE '${xid}'; XA COMMIT '${xid}'`);
    }
    await runs.run();
    expect(await runs.missed()).toEqual([]);
    expect((await runs.missed(runs.naive)).length).toBeGreaterThan(5);
    runs.end();
  },
  60_000,
);

describe('the fence', () => {
  const cursor = { name: 'changed', kind: 'time', type: 'timestamptz', nullable: false } as const;
  let session: Session;
  beforeAll(async () => {
    session = await connect(server.secret);
  });
  afterAll(() => session.connection.destroy());

  it('is held back by an open transaction, and names it', async () => {
    const writer = await server.connect();
    await writer.query(`BEGIN; ${insert}`);
    const [[row]] = (await writer.query('SELECT CONNECTION_ID() AS pid')) as unknown as [[{ pid: number }]];
    const observation = await observe(session, relation, cursor, null);
    await writer.query('ROLLBACK');
    expect(observation.oldest).toMatchObject({ pid: row.pid, user: 'root', since: observation.fence });
  });

  it('is not held back by those who only read', async () => {
    const reader = await server.connect();
    await reader.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY; SELECT * FROM orders');
    const observation = await observe(session, relation, cursor, null);
    await reader.query('COMMIT');
    expect(observation.oldest).toBeNull();
  });

  it.each(['+00:00', 'SYSTEM', '+13:00'])('is in UTC, whatever the zone of server or session (%s)', async (zone) => {
    const writer = await server.connect();
    await admin.query(`SET GLOBAL time_zone = '${zone}'`);
    await writer.query(`BEGIN; ${insert}`);
    const { fence, readAt } = await observe(session, relation, cursor, null);
    await writer.query('ROLLBACK');
    await admin.query("SET GLOBAL time_zone = 'SYSTEM'");
    expect(Math.abs(Date.parse(fence) - Date.parse(readAt))).toBeLessThan(60_000);
  });

  it('is refused without PROCESS, unless a lookback is declared', async () => {
    await admin.query("CREATE OR REPLACE USER plain@'%'; GRANT SELECT ON shop.* TO plain@'%'");
    const plain = await connect({ ...server.secret, user: 'plain' });
    await expect(observe(plain, relation, cursor, null)).rejects.toMatchObject({
      code: 'FenceUnreadable',
      message: expect.stringContaining('PROCESS'),
    });
    const declared = await observe(plain, relation, cursor, 3600);
    expect(declared.warnings.join()).toContain('3600 s');
    expect(Date.parse(declared.readAt) - Date.parse(declared.fence)).toBeGreaterThan(3_500_000);
    plain.connection.destroy();
    await admin.query("GRANT PROCESS ON *.* TO plain@'%'");
    const granted = await connect({ ...server.secret, user: 'plain' });
    expect((await observe(granted, relation, cursor, null)).warnings).toEqual([]);
    granted.connection.destroy();
  });

  it.each(['MyISAM', 'Aria'])('is refused for a table without transactions (%s)', async (engine) => {
    await admin.query(`ALTER TABLE orders ENGINE = ${engine}`);
    await expect(observe(session, relation, cursor, null)).rejects.toMatchObject({
      code: 'FenceUnreadable',
      message: expect.stringContaining(engine),
    });
  });

  it('is refused on a replica', async () => {
    await admin.query('SET GLOBAL read_only = 1');
    await expect(observe(session, relation, cursor, null)).rejects.toMatchObject({
      code: 'FenceUnreadable',
      message: expect.stringContaining('replica'),
    });
    await admin.query('SET GLOBAL read_only = 0');
  });
});

describe('the cursor column', () => {
  let session: Session;
  beforeAll(async () => {
    session = await connect(server.secret);
  });
  afterAll(() => session.connection.destroy());

  it.each([
    ['timestamp', 'time', 'timestamptz'],
    ['datetime(3)', 'time', 'timestamp'],
    ['date', 'time', 'date'],
    ['smallint unsigned', 'integer', 'int8'],
    ['bigint unsigned', 'integer', 'int8'],
  ])('%s is a cursor of kind %s', async (type, kind, as) => {
    await admin.query(`CREATE OR REPLACE TABLE orders (c ${type})`);
    expect(await readCursorColumn(session, relation, 'c')).toMatchObject({ name: 'c', kind, type: as });
  });

  it.each([
    ['c json', 'c', 'CursorColumnUnsuitable', 'of type longtext'],
    ['c time', 'c', 'CursorColumnUnsuitable', 'of type time'],
    ['c int', 'gone', 'CursorColumnMissing', 'shop.orders.gone'],
  ])('%s, cursor %s: %s', async (columns, column, code, message) => {
    await admin.query(`CREATE OR REPLACE TABLE orders (${columns})`);
    await expect(readCursorColumn(session, relation, column)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('an integer is refused where servers take numbers in turns', async () => {
    await admin.query('SET GLOBAL auto_increment_increment = 2');
    await expect(readCursorColumn(session, relation, 'id')).rejects.toMatchObject({ code: 'CursorColumnUnsuitable' });
    await admin.query('SET GLOBAL auto_increment_increment = 1');
  });

  it('counts rows without a cursor, within the row filter', async () => {
    await admin.query(
      'CREATE OR REPLACE TABLE orders (c datetime, tenant int); INSERT INTO orders VALUES (NULL, 1), (NULL, 2), (now(), 1)',
    );
    expect(await countNullCursors(session, relation, 'c', null)).toBe(2);
    expect(await countNullCursors(session, relation, 'c', 'tenant = 1 -- only these')).toBe(1);
  });
});

describe('the lower bound in the type of the cursor', () => {
  it.each([
    ['timestamptz', '2025-07-01T12:00:00.923456Z', 60, null, '2025-07-01 11:59:00'],
    ['timestamp', '2025-07-01T12:00:00.000000Z', 0, 'Europe/Berlin', '2025-07-01 14:00:00'],
    // The clock is set back at 06:00 UTC: 01:00–02:00 comes again, so rows stamped 01:00 are still to come.
    ['timestamp', '2025-11-02T05:59:00.000000Z', 0, 'America/New_York', '2025-11-02 00:59:00'],
    ['timestamp', '2025-11-02T06:30:00.000000Z', 0, 'America/New_York', '2025-11-02 01:30:00'],
    // It is set forward at 07:00 UTC.
    ['timestamp', '2025-03-09T06:59:00.000000Z', 0, 'America/New_York', '2025-03-09 01:59:00'],
    ['timestamp', '2025-07-01T12:00:00.000000Z', 60, null, '2025-06-30 23:59:00'],
    ['date', '2025-07-01T11:00:00.000000Z', 0, null, '2025-06-30'],
    ['date', '2025-07-01T23:30:00.000000Z', 0, 'Europe/Berlin', '2025-07-02'],
  ] as const)('%s, safe %s, lookback %d s, zone %s: %s', (type, safe, lookback, zone, bound) => {
    expect(timeBound(type, safe, lookback, zone)).toBe(bound);
  });
});
