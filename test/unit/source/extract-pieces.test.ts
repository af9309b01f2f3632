import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { defaultPolicies } from '../../../core/source/postgres/types.js';
import { duckdb, extractTable, removeFolders } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

let server: RunningPostgres;
let client: Client;

beforeAll(async () => {
  server = await startPostgres();
  client = await server.connect();
});
afterEach(removeFolders);
afterAll(() => server.stop());

const piecesOf = (...bounds: string[]) => bounds.slice(1).map((to, index) => ({ number: 0, column: 'id', from: bounds[index]!, to }));

it.each([
  ['the first row of a piece', '10', ['1', '10', '30']],
  ['a later row of it', '12', ['1', '10', '30']],
  ['a row after a piece without rows', '12', ['1', '10', '10', '30']],
])('a value in %s follows its policy, and its row is named', async (_, id, bounds) => {
  await client.query(`DROP TABLE IF EXISTS readings; CREATE TABLE readings (id int PRIMARY KEY, n numeric(8,2));
    INSERT INTO readings SELECT i, CASE WHEN i = ${id} THEN numeric 'NaN' ELSE i END FROM generate_series(1, 20) i`);
  const policies = { ...defaultPolicies, numeric_nan: 'null' } as const;
  const pieces = piecesOf(...bounds);
  const { folder, rows, replaced } = await extractTable(client, { table: 'readings' }, { policies }, { pieces });
  expect(rows).toBe(20);
  expect(replaced).toMatchObject([{ column: 'N', value: 'NaN', key: `id=${id}` }]);
  expect(await duckdb(folder, 'SELECT "ID" FROM t WHERE "N" IS NULL')).toEqual([[Number(id)]]);
});
