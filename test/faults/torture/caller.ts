import { randomUUID } from 'node:crypto';
import { Random } from '../random.js';
import type { World } from '../world.js';
import { database, tables } from './tables.js';
import { rest, type Tally } from './tally.js';

/** Each call that waits has its functions run again and again: more of them are a test of the machine. */
const callsAtOnce = 4;

/**
 * Calls ingest_table every second, in each way in which it can be called, and waits for answers only when too many are outstanding.
 * @returns answers that must not be, one line each
 */
export async function callEverySecond(world: World, seed: number, tally: Tally, signal: AbortSignal): Promise<string[]> {
  const wrong: string[] = [];
  const random = new Random(seed, 'caller');
  const calls = new Set<Promise<unknown>>();
  while (!signal.aborted) {
    if (calls.size >= callsAtOnce) await Promise.race(calls);
    const { table } = random.pick(tables);
    const way = random.next();
    const call =
      way < 0.7
        ? world.ingest(database, table, { wait: false })
        : way < 0.8
          ? repeated(world, table).then((lines) => wrong.push(...lines))
          : way < 0.9
            ? world.ingest(database, table, random.chance(0.3) ? { mode: 'full' } : {})
            : fanOut(world, random.chance(0.3));
    tally.add('calls');
    const counted: Promise<unknown> = call
      // `start` was killed or cut off more often than Snowflake asks.
      .catch(() => tally.add('calls that failed'))
      .finally(() => calls.delete(counted));
    calls.add(counted);
    await rest(1000, signal);
  }
  return wrong;
}

const fanOut = (world: World, wait: boolean): Promise<unknown> =>
  world.query(
    `SELECT table_name, ingest_table(source, database, table_name, PARSE_JSON(?)) AS receipt FROM FIRN.TABLES WHERE database = '${database}'`,
    [JSON.stringify({ wait })],
  );

/** Snowflake's batch, sent three times at once, as after answers that were lost. */
async function repeated(world: World, table: string): Promise<string[]> {
  const headers = {
    'Content-Type': 'application/json',
    'sf-external-function-current-query-id': randomUUID(),
    'sf-external-function-query-batch-id': randomUUID(),
  };
  const body = JSON.stringify({
    data: [
      [0, 'PostgreSQL', database, table, { wait: false }],
      [1, 'PostgreSQL', database, table, { wait: false }],
    ],
  });
  const answers = await Promise.all(
    [1, 2, 3].map(() => fetch(`${world.state.api}/ingest`, { method: 'POST', headers: { ...headers, ...signature }, body })),
  );
  const runs = new Set<string>();
  for (const answer of answers) {
    const text = await answer.text();
    if (answer.status === 200)
      for (const [, receipt] of (JSON.parse(text) as { data: [number, { run_id: string }][] }).data) runs.add(receipt.run_id);
  }
  return runs.size > 1 ? [`one batch was answered with ${runs.size} runs of ${table}: ${[...runs].join(', ')}`] : [];
}

/** The local API asks for a signature, and for none in particular. */
const signature = {
  Authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=0',
};
