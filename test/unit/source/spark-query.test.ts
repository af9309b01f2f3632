import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Chunk } from '../../../core/plan/plan.js';
import { describeTable } from '../../../core/source/postgres/catalog.js';
import { sparkQuery } from '../../../core/source/postgres/spark-query.js';
import { secretFor } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

/** What Spark makes of the query is test/unit/glue/engines.test.ts: here it is asked without Spark. */

let server: RunningPostgres;
let admin: Client;

beforeAll(async () => {
  server = await startPostgres();
  admin = await server.connect();
  await admin.query('CREATE ROLE reader LOGIN');
});
afterAll(() => server.stop());

const whole: Chunk = { number: 0, column: null, from: null, to: null };
const all = { rowFilter: null, cursor: null, chunk: null };

const relations = [
  { what: 'a table', sql: 'CREATE TABLE sold (id int, hidden text)', table: 'sold', grant: 'SELECT' },
  {
    what: 'a table of which the user may read some columns only',
    sql: 'CREATE TABLE partly (id int, hidden text)',
    table: 'partly',
    grant: 'SELECT (id)',
  },
  {
    what: 'a partition of a table of which he may read some columns only',
    sql: `CREATE TABLE tree (id int, hidden text) PARTITION BY RANGE (id); CREATE TABLE tree_1 PARTITION OF tree FOR VALUES FROM (0) TO (9);
      CREATE TABLE tree_2 PARTITION OF tree DEFAULT`,
    table: 'tree',
    grant: 'SELECT (id)',
    emptied: 'tree_1',
  },
  {
    what: 'what is below a view of which he may read some columns only',
    sql: 'CREATE TABLE below (id int, hidden text); CREATE VIEW above AS SELECT * FROM below',
    table: 'above',
    grant: 'SELECT (id)',
    emptied: 'below',
  },
];

describe('emptied and filled again while the job begins to read, never shows a snapshot from before with the rows gone', () => {
  it.each(relations)('$what', async ({ sql, table, grant, emptied = table }) => {
    await admin.query(`${sql}; INSERT INTO ${emptied} VALUES (1, 'h'); GRANT ${grant} ON ${table} TO reader`);
    const job = await server.connect({ user: 'reader' });
    const relation = { schema: 'public', table };
    const { columns } = await describeTable(job, relation, { columns: { exclude: ['hidden'] } });
    const connection = { ...secretFor(server.port), user: 'reader' };
    const { session, query, conditions } = await sparkQuery({ connection, relation, columns, where: all }, [whole]);

    await admin.query(`BEGIN; TRUNCATE ${emptied}; INSERT INTO ${emptied} VALUES (2, 'h'), (3, 'h')`);
    await job.query('BEGIN');
    const begun = job.query(session);
    const waiting = 'SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass';
    await expect.poll(async () => (await admin.query(waiting, [emptied])).rowCount).toBe(1);
    await admin.query('COMMIT');
    await begun;

    const { rows } = await job.query(`SELECT _firn_0 FROM (${query}) AS source_rows WHERE ${conditions[0]} ORDER BY 1`);
    expect(rows).toEqual([{ _firn_0: 2 }, { _firn_0: 3 }]);
    await expect(admin.query(`SET lock_timeout = 100; TRUNCATE ${emptied}`)).rejects.toMatchObject({ code: '55P03' });
    await job.query('ROLLBACK');
  });
});
