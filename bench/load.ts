import pg from 'pg';

export interface LoadOptions {
  url: string;
  /** Each gets the whole load. */
  tables: string[];
  /** Rows inserted or updated per second and table. */
  rate: number;
  /** Of each transaction, seconds: chosen evenly on a logarithmic scale. */
  shortest: number;
  longest: number;
}

const sessionsPerTable = 6;

/** Steady writes, half inserts and half updates, in transactions that overlap, until `stop`. */
export function startLoad({ url, tables, rate, shortest, longest }: LoadOptions): { stop(): Promise<void> } {
  let stopped = false;
  const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, seconds) * 1000));

  const write = async (table: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url, application_name: 'load' });
    await client.connect();
    const ownRate = rate / sessionsPerTable;
    while (!stopped) {
      const seconds = shortest * (longest / shortest) ** Math.random();
      const rows = Math.max(1, Math.round(ownRate * seconds));
      const began = performance.now();
      await client.query('BEGIN');
      await client.query(`INSERT INTO ${table} (note) SELECT md5(random()::text) FROM generate_series(1, $1)`, [Math.ceil(rows / 2)]);
      await client.query(
        `UPDATE ${table} SET note = md5(random()::text), changed = now() WHERE id IN
           (SELECT id FROM ${table} WHERE id >= (random() * (SELECT max(id) FROM ${table}))::bigint ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)`,
        [Math.floor(rows / 2)],
      );
      await pause(seconds - (performance.now() - began) / 1000);
      await client.query('COMMIT');
      await pause(rows / ownRate - (performance.now() - began) / 1000);
    }
    await client.end();
  };

  const sessions = tables.flatMap((table) => Array.from({ length: sessionsPerTable }, () => write(table)));
  return {
    async stop() {
      stopped = true;
      await Promise.all(sessions);
    },
  };
}
