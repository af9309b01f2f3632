import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failpoint, Failure } from '../../core/failpoints.js';
import type { Receipt } from '../../core/receipt/receipt.js';
import { leftovers, miscounts } from './leftovers.js';
import { faultSandboxDirectory } from './sandbox.js';
import { World } from './world.js';

const database = 'points';

/**
 * Where a run is hit, and how. A step that is killed, throws, or hangs until its time is over is carried out again by Step Functions; what is
 * left behind is the same, so each point is hit by `kill` and `twice`, and some by the others.
 */
const both: Failure[] = ['kill', 'twice'];
const points: { point: Failpoint; failures: Failure[] }[] = [
  { point: 'claimed', failures: both },
  { point: 'started', failures: both },
  { point: 'acquired', failures: both },
  { point: 'permit_taken', failures: both },
  { point: 'snapshot_announced', failures: ['throw', 'twice'] },
  { point: 'plan_written', failures: both },
  { point: 'prepared', failures: both },
  { point: 'file_written', failures: both },
  { point: 'part_written', failures: both },
  { point: 'manifest_written', failures: ['hang', 'twice'] },
  { point: 'files_registered', failures: ['throw', 'twice'] },
  { point: 'load_submitted', failures: both },
  { point: 'loaded', failures: both },
  { point: 'merge_submitted', failures: ['hang', 'kill', 'twice'] },
  { point: 'submitted', failures: both },
  { point: 'merged', failures: both },
  { point: 'verified', failures: ['throw', 'twice'] },
  { point: 'watermark_committed', failures: ['hang', 'kill', 'twice'] },
  { point: 'gold_marked', failures: both },
  { point: 'permit_released', failures: both },
  { point: 'receipt_written', failures: both },
  { point: 'recorded', failures: both },
];

/** Files of these tables are sent in two parts: 12 MB that cannot be compressed. */
const uploads: Failure[] = ['kill', 'throw', 'twice'];
const uploaded = (failure: Failure): string => `uploaded_${failure}`;

let world: World;

beforeAll(async () => {
  world = World.open(faultSandboxDirectory);
  for (const { point } of points) {
    await world.source.query(`CREATE TABLE ${point} (id integer PRIMARY KEY, v text, updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
      INSERT INTO ${point} SELECT n, 'first ' || n, now() - interval '1 hour' FROM generate_series(1, 20) n`);
  }
  await world.source.query(`CREATE TABLE uploaded (id integer PRIMARY KEY, v text);
    INSERT INTO uploaded SELECT n, (SELECT string_agg(encode(sha512((n || '-' || i)::bytea), 'hex'), '') FROM generate_series(1, 48) i)
    FROM generate_series(1, 4000) n`);
  for (const failure of uploads) await world.source.query(`CREATE VIEW ${uploaded(failure)} AS SELECT * FROM uploaded`);
  const incremental = { mode: 'incremental', cursor_column: 'updated_at', loader: 'copy', engine: 'lambda' };
  const whole = { mode: 'full', primary_key: ['id'], loader: 'copy', engine: 'lambda' };
  await world.push(database, [
    ...points.map(({ point }) => ({ table: point, ...incremental })),
    ...uploads.map((failure) => ({ table: uploaded(failure), ...whole })),
  ]);
});

afterAll(() => world?.close());

/** The run's end: it is redriven as long as it fails, as its user would. A killed step does not come to that. */
async function ended(table: string, failure: Failure): Promise<Receipt> {
  let receipt = await world.ended(await world.ingest(database, table));
  if (failure === 'kill')
    expect({ table, status: receipt.status, error: receipt.error }).toMatchObject({ status: 'SUCCEEDED', error: null });
  for (let redrives = 0; receipt.status === 'FAILED' && redrives < 3; redrives++)
    receipt = await world.ended(await world.retry(receipt.run_id));
  return receipt;
}

describe('a run that is hit at', () => {
  it.concurrent.each(points)('$point ($failures): nothing is lost or doubled', async ({ point, failures }) => {
    for (const [round, failure] of failures.entries()) {
      await world.source.query(`INSERT INTO ${point} (id, v) SELECT n, 'added' FROM generate_series(${100 * round + 100}, ${100 * round + 109}) n;
        UPDATE ${point} SET v = v || '.', updated_at = clock_timestamp() WHERE id % 7 = ${round}`);
      world.arm(point, point, failure);
      const receipt = await ended(point, failure);
      expect({ failure, status: receipt.status, error: receipt.error }).toEqual({ failure, status: 'SUCCEEDED', error: null });
      expect({ failure, armed: world.isArmed(point, point) }).toEqual({ failure, armed: false });
      expect({ failure, miscounts: miscounts({ ...receipt }) }).toEqual({ failure, miscounts: [] });
      expect({ failure, differences: await world.differences(database, point) }).toEqual({ failure, differences: [] });
    }
  });
});

describe('between two parts of a file', () => {
  it.concurrent.each(uploads)('%s: nothing is lost or doubled', async (failure) => {
    const table = uploaded(failure);
    world.arm('upload_part_sent', table, failure);
    const receipt = await ended(table, failure);
    expect(receipt).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 4000, error: null });
    expect(world.isArmed('upload_part_sent', table)).toBe(false);
    expect(await world.differences(database, table, ['id'])).toEqual([]);
  });
});

it('nothing is left of them', async () => {
  await expect.poll(() => world.executions('RUNNING'), { timeout: 60_000 }).toEqual([]);
  await expect.poll(() => leftovers(world, database), { timeout: 30_000 }).toEqual([]);
  // What a dead machine leaves of an upload is ended by the bucket, after a day (lib/raw-bucket.ts).
  expect((await world.uploads()).filter((key) => !key.includes(uploaded('kill')))).toEqual([]);
});
