import pg from 'pg';
import { Random } from '../random.js';
import { idsOf, type TortureTable, tables } from './tables.js';
import { rest, type Tally } from './tally.js';

/** How many write at once. Each has ids of its own, so that one that stays open for long holds up no other. */
export const writerCount = 8;

/** How a transaction is lived. */
const lives = ['short', 'short', 'short', 'short', 'savepoint', 'savepoint', 'rolled back', 'long', 'prepared'] as const;

/** Walks the ids of one writer from step to step, transaction after transaction, until it is told to stop. Survives restarts of the server. */
export class Writer {
  readonly #random: Random;
  #client: pg.Client | null = null;
  #transactions = 0;

  constructor(
    private readonly url: string,
    private readonly number: number,
    seed: number,
    /** The longest that a transaction stays open. Seconds. */
    private readonly longest: number,
    private readonly tally: Tally,
    private readonly signal: AbortSignal,
  ) {
    this.#random = new Random(seed, `writer ${number}`);
  }

  async run(): Promise<void> {
    while (!this.signal.aborted) {
      try {
        this.#client ??= await this.#connect();
        await this.#transaction(this.#client);
      } catch {
        // The server was restarted: what was not committed is gone, and what was prepared is not.
        await this.#client?.end().catch(() => {});
        this.#client = null;
        this.tally.add('broken transactions');
        await rest(300, this.signal);
      }
      await rest(this.#random.between(50, 500), this.signal);
    }
    await this.#client?.end().catch(() => {});
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 2000, application_name: 'writer' });
    client.on('error', () => {});
    await client.connect();
    await this.#endPrepared(client);
    return client;
  }

  async #endPrepared(client: pg.Client): Promise<void> {
    const { rows } = await client.query<{ gid: string }>('SELECT gid FROM pg_prepared_xacts WHERE gid LIKE $1', [`w${this.number}-%`]);
    for (const { gid } of rows) await client.query(`${this.#random.chance(0.7) ? 'COMMIT' : 'ROLLBACK'} PREPARED '${gid}'`);
  }

  async #transaction(client: pg.Client): Promise<void> {
    const life = this.#random.pick(lives);
    const held =
      life === 'long' ? this.#random.between(3, this.longest) : life === 'prepared' ? this.#random.between(1, this.longest / 2) : 0;
    await client.query('BEGIN');
    try {
      await this.#steps(client);
      if (life === 'savepoint') {
        await client.query('SAVEPOINT half_way');
        await this.#steps(client);
        if (this.#random.chance(0.6)) await client.query('ROLLBACK TO half_way');
        await this.#steps(client);
      }
      if (life === 'long') {
        await rest(held * 1000, this.signal);
        await this.#steps(client);
      }
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    }
    if (life === 'prepared') {
      const gid = `w${this.number}-${this.#transactions}`;
      await client.query(`PREPARE TRANSACTION '${gid}'`);
      await rest(held * 1000, this.signal);
      await this.#endPrepared(client);
    } else await client.query(life === 'rolled back' ? 'ROLLBACK' : 'COMMIT');
    this.#transactions++;
    this.tally.add('transactions');
    if (life !== 'short') this.tally.add(life);
  }

  async #steps(client: pg.Client): Promise<void> {
    for (let count = this.#random.between(1, 6); count > 0; count--) await this.#step(client, this.#random.pick(tables));
  }

  async #step(client: pg.Client, { table, insertsOnly }: TortureTable): Promise<void> {
    const payload = Math.floor(this.#random.next() * 2 ** 40).toString(36);
    const clock = this.#random.chance(0.5) ? 'now()' : 'clock_timestamp()';
    this.tally.add('writes');
    if (insertsOnly) {
      await client.query(
        `WITH made AS (INSERT INTO ${table} (step, payload) VALUES (1, $1) RETURNING id)
         INSERT INTO history SELECT '${table}', id, 1, $1 FROM made`,
        [payload],
      );
      return;
    }
    const id = this.number + 1 + writerCount * this.#random.between(0, Math.floor((idsOf - this.number - 1) / writerCount) + 1);
    const { rows } = await client.query<{ step: number }>('UPDATE walks SET step = step + 1 WHERE tab = $1 AND id = $2 RETURNING step', [
      table,
      id,
    ]);
    const step = rows[0]!.step;
    const change = changes[step % 5]!(table, clock);
    await client.query(change, change.includes('$2') ? [id, step, payload] : [id]);
    if (step % 5 !== 0) await client.query('INSERT INTO history VALUES ($1, $2, $3, $4)', [table, id, step, payload]);
  }
}

const update = (table: string, clock: string): string => `UPDATE ${table} SET step = $2, payload = $3, updated_at = ${clock} WHERE id = $1`;

/** What the next step of an id is, by its number modulo 5: insert 1, update 2 to 4, delete 5, insert 6, … */
const changes: Record<number, (table: string, clock: string) => string> = {
  0: (table) => `DELETE FROM ${table} WHERE id = $1`,
  1: (table, clock) => `INSERT INTO ${table} (id, step, payload, updated_at) VALUES ($1, $2, $3, ${clock})`,
  2: update,
  3: update,
  4: update,
};
