import type { Connection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openLocalFile } from '../../../../core/source/sink.js';
import { duckdb, newFolder, removeFolders } from '../extracting.js';
import { extractTable } from './extracting-mysql.js';
import { type RunningMysql, startMysql } from './running-mysql.js';

let server: RunningMysql;
let client: Connection;

beforeAll(async () => {
  server = await startMysql();
  client = await server.connect();
});
afterEach(removeFolders);
afterAll(() => server.stop());

it('keys are those of all rows that the filter lets through, in the snapshot of the rows', async () => {
  await client.query(
    "CREATE TABLE moving (id int PRIMARY KEY, note text, seen int); INSERT INTO moving SELECT seq, 'x', seq FROM seq_1_to_9",
  );
  const folder = newFolder();
  const { rows, keys } = await extractTable(
    server.secret,
    'moving',
    {},
    {
      where: { rowFilter: 'id <> 7', cursor: { column: 'seen', from: '8', onNull: 'exclude' }, chunk: null },
      // When the first rows are written, the snapshot is taken, and the keys are not read yet.
      openFile: async (part) => {
        await client.query('DELETE FROM moving WHERE id = 2');
        return openLocalFile(newFolder(), `${part}.parquet`);
      },
      keys: { constants: { _FIRN_OP: 'K' }, openFile: (part) => openLocalFile(folder, `${part}.parquet`) },
    },
  );
  expect([rows, keys?.rows]).toEqual([2, 8]);
  expect(await duckdb(folder, 'SELECT * FROM t ORDER BY "ID" LIMIT 2')).toEqual([
    [1, 'K'],
    [2, 'K'],
  ]);
});
