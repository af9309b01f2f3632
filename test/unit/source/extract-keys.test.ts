import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { tableConfigSchema } from '../../../core/config/schema.js';
import { makePlan } from '../../../core/plan/make-plan.js';
import { sealParts } from '../../../core/plan/seal.js';
import type { Extraction } from '../../../core/source/postgres/extract.js';
import { postgresSession } from '../../../core/source/postgres/source.js';
import { openLocalFile } from '../../../core/source/sink.js';
import { duckdb, everything, extractTable, newFolder, removeFolders } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

let server: RunningPostgres;
let client: Client;

beforeAll(async () => {
  server = await startPostgres();
  client = await server.connect();
});
afterEach(removeFolders);
afterAll(() => server.stop());

const keysInto = (folder: string): Extraction['keys'] => ({
  constants: { _FIRN_OP: 'K' },
  openFile: (part) => openLocalFile(folder, `${part}.parquet`),
});

it('are those of all rows that the filter lets through, with the key alone', async () => {
  await client.query(`CREATE TABLE visits (day date, "no" int, note text, seen int, PRIMARY KEY ("no", day));
    INSERT INTO visits SELECT date '2025-11-05' - i, i, 'x', nullif(i, 3) FROM generate_series(1, 9) i`);
  const folder = newFolder();
  const { rows, keys } = await extractTable(
    client,
    { table: 'visits' },
    {},
    {
      where: { rowFilter: '"no" <> 7', cursor: { column: 'seen', from: '8', onNull: 'exclude' }, chunk: null },
      keys: keysInto(folder),
    },
  );
  expect([rows, keys?.rows]).toEqual([2, 8]);
  expect(await duckdb(folder, 'SELECT * FROM t ORDER BY "NO" LIMIT 2')).toEqual([
    ['2025-11-04', 1, 'K'],
    ['2025-11-03', 2, 'K'],
  ]);
});

it('are read in the snapshot of the rows', async () => {
  await client.query('CREATE TABLE moving (id int PRIMARY KEY); INSERT INTO moving SELECT generate_series(1, 5)');
  const [rows, keys] = [newFolder(), newFolder()];
  // When the first rows are written, the snapshot is taken, and the keys are not read yet.
  const openFile: Extraction['openFile'] = async (part) => {
    await client.query('DELETE FROM moving WHERE id = 2; INSERT INTO moving VALUES (6)');
    return openLocalFile(rows, `${part}.parquet`);
  };
  await extractTable(client, { table: 'moving' }, {}, { openFile, keys: keysInto(keys) });
  expect(await duckdb(keys, 'SELECT "ID" FROM t ORDER BY 1')).toEqual([[1], [2], [3], [4], [5]]);
});

it('of no rows are no file, but were read', async () => {
  await client.query('CREATE TABLE nobody (id int PRIMARY KEY)');
  expect((await extractTable(client, { table: 'nobody' }, {}, { where: everything, keys: keysInto(newFolder()) })).keys).toEqual({
    rows: 0,
    files: [],
  });
});

it.each([
  [
    'an incremental table that asks for it',
    { mode: 'incremental', cursor_column: 'at', delete_detection: 'keys' },
    undefined,
    [true, true],
  ],
  ['an incremental table', { mode: 'incremental', cursor_column: 'at' }, undefined, [false, undefined]],
  ['a full run of such a table', { mode: 'incremental', cursor_column: 'at', delete_detection: 'keys' }, 'full', [true, undefined]],
] as const)('are planned for %s', async (_, config, mode, expected) => {
  await client.query('DROP TABLE IF EXISTS planned; CREATE TABLE planned (id int PRIMARY KEY, at timestamptz NOT NULL)');
  const session = postgresSession(client);
  const parsed = tableConfigSchema.parse({ table: 'planned', ...config });
  const described = await session.describeTable({ schema: 'public', table: 'planned' }, parsed);
  const run = { runId: '01JC0000000000000000000001', source: 'PostgreSQL', database: 'clr', table: 'planned' };
  const known = {
    mode: mode ?? null,
    configVersion: 1,
    sourceType: 'postgres',
    fence: 7,
    baseVersion: 0,
    watermark: null,
    last: null,
  } as const;
  const { plan } = await makePlan(session, { run, config: parsed, checkpoints: [], ...known }, described, new Date());
  expect([plan.deletes.detect, plan.deletes.keys]).toEqual(expected);
});

it('that were to be read and were not stop the run, instead of deleting every row', () => {
  const plan = { run: { runId: '01JC0000000000000000000001' }, chunks: [{ number: 0 }], deletes: { keys: true } } as never;
  const part = { runId: 'r', chunk: 0, files: [], rows: 0, readAsOf: '2025-11-05T12:00:00Z', policyCounts: {} };
  expect(() => sealParts(plan, [[part]])).toThrow('was to read the keys of all rows');
  expect(sealParts(plan, [[{ ...part, files: [{ key: 'k', rows: 9, bytes: 1, keys: true }], keys: 9 }]])).toMatchObject({ rows: 0 });
});
