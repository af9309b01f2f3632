import type { Client } from 'pg';
import { ulid } from 'ulid';
import type { Random } from './random.js';

export const createOrders = `
DROP TABLE IF EXISTS orders CASCADE;
CREATE TABLE orders (
  id bigserial PRIMARY KEY, version int NOT NULL,
  changed timestamptz NOT NULL, local timestamp NOT NULL, day date NOT NULL,
  uid uuid NOT NULL, uid_text text NOT NULL, ulid text NOT NULL
)`;

/** Steps of the schedule: when a transaction began, and when it first wrote, which gives it its number. */
export interface Transaction {
  began: number;
  wrote: number | null;
}

interface Open extends Transaction {
  savepoints: number;
  /** What it has drawn and not used yet: a number and identifiers, perhaps before it has written anything. */
  drawn: { id: string; uid: string; ulid: string } | null;
}

/**
 * Writers of `orders` that do one thing at a time, chosen by chance: begin, draw numbers, insert, update, savepoints and their rollback,
 * commit, roll back, prepare, and end what was prepared. Each statement is awaited, so a schedule is the same for the same seed.
 */
export class WritingSessions {
  step = 0;
  /** When a version was written. */
  readonly written = new Map<number, number>();
  readonly prepared = new Map<string, Transaction>();
  private readonly open = new Map<Client, Open>();
  private version = 0;

  constructor(
    private readonly clients: readonly Client[],
    private readonly admin: Client,
    private readonly random: Random,
  ) {}

  get openTransactions(): Transaction[] {
    return [...this.open.values()];
  }

  async act(): Promise<void> {
    this.step++;
    const { random } = this;
    // The first is slow: its transactions stay open over many runs.
    const client = random.chance(0.06) ? this.clients[0]! : random.pick(this.clients.slice(1));
    const open = this.open.get(client);
    if (random.chance(0.04) && this.prepared.size > 0) return this.endPrepared(random.pick([...this.prepared.keys()]), random.chance(0.7));
    if (!open) return random.chance(0.4) ? this.writeAlone(client) : this.begin(client);
    const chance = random.next();
    if (chance < 0.1) return this.draw(client, open);
    if (chance < 0.45) return this.insert(client, open);
    if (chance < 0.6) return this.update(client, open);
    if (chance < 0.72) return this.savepoint(client, open);
    if (chance < 0.76 && this.prepared.size < 4) return this.prepare(client, open);
    return this.end(client, random.chance(0.8));
  }

  async begin(client: Client): Promise<void> {
    await client.query('BEGIN; SELECT now()');
    this.open.set(client, { began: this.step, wrote: null, savepoints: 0, drawn: null });
  }

  async insert(client: Client, open = this.open.get(client)!): Promise<void> {
    if (!open.drawn) await this.draw(client, open);
    const { id, uid, ulid: text } = open.drawn!;
    open.drawn = null;
    const stamp = this.random.pick(['now()', 'clock_timestamp()']);
    const local = `${stamp} AT TIME ZONE 'Europe/Berlin'`;
    await client.query(`INSERT INTO orders VALUES ($1, $2, ${stamp}, ${local}, (${local})::date, $3, $4, $5)`, [
      id,
      this.note(open),
      uid,
      uid,
      text,
    ]);
  }

  async end(client: Client, commit: boolean): Promise<void> {
    await client.query(commit ? 'COMMIT' : 'ROLLBACK');
    this.open.delete(client);
  }

  /** Ends everything by committing it. */
  async rest(): Promise<void> {
    this.step++;
    for (const client of this.open.keys()) await this.end(client, true);
    for (const gid of this.prepared.keys()) await this.endPrepared(gid, true);
  }

  private async writeAlone(client: Client): Promise<void> {
    await this.begin(client);
    await this.insert(client);
    await this.end(client, true);
  }

  private async draw(client: Client, open: Open): Promise<void> {
    // One nextval in 32 is logged, and gives the transaction its number.
    open.wrote ??= this.step;
    const { rows } = await client.query<{ id: string; uid: string }>(`SELECT nextval('orders_id_seq')::text AS id, uuidv7()::text AS uid`);
    open.drawn = { ...rows[0]!, ulid: ulid() };
  }

  private async update(client: Client, open: Open): Promise<void> {
    // Rows of others may be locked for long.
    const { rows } = await client.query<{ id: string }>(
      'SELECT id::text FROM orders WHERE id >= $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED',
      [this.random.below(this.version + 1)],
    );
    // Locking a row takes a number too.
    open.wrote ??= this.step;
    if (!rows[0]) return;
    await client.query(
      `UPDATE orders SET version = $2, changed = now(), local = now() AT TIME ZONE 'Europe/Berlin', day = (now() AT TIME ZONE 'Europe/Berlin')::date
       WHERE id = $1`,
      [rows[0].id, this.note(open)],
    );
  }

  private async savepoint(client: Client, open: Open): Promise<void> {
    if (open.savepoints === 0 || this.random.chance(0.5)) {
      await client.query(`SAVEPOINT s${++open.savepoints}`);
    } else {
      await client.query(
        `${this.random.pick(['RELEASE', 'ROLLBACK TO'])} s${open.savepoints}; RELEASE s${open.savepoints--}`.replace(
          /^(RELEASE \w+); .*/,
          '$1',
        ),
      );
    }
  }

  private async prepare(client: Client, open: Open): Promise<void> {
    const gid = `g${this.step}`;
    await client.query(`PREPARE TRANSACTION '${gid}'`);
    this.open.delete(client);
    // An empty one gets its number now.
    open.wrote ??= this.step;
    this.prepared.set(gid, open);
  }

  private async endPrepared(gid: string, commit: boolean): Promise<void> {
    await this.admin.query(`${commit ? 'COMMIT' : 'ROLLBACK'} PREPARED '${gid}'`);
    this.prepared.delete(gid);
  }

  private note(open: Open): number {
    open.wrote ??= this.step;
    this.written.set(++this.version, this.step);
    return this.version;
  }
}
