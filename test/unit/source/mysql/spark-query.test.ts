import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Chunk } from '../../../../core/plan/plan.js';
import { connect } from '../../../../core/source/mysql/connection.js';
import { mysql, mysqlSession } from '../../../../core/source/mysql/source.js';
import type { SparkQuery, Where } from '../../../../core/source/source.js';
import { type RunningMysql, startMysql } from './running-mysql.js';

/** What Spark makes of the query is test/unit/glue/engines.test.ts: here it is asked without Spark. */

let server: RunningMysql;
let admin: Connection;
/** A session as the job's. */
let job: Connection;

const relation = { schema: 'shop', table: 'counted' };
const all: Where = { rowFilter: null, cursor: null, chunk: null };
const whole: Chunk = { number: 0, column: null, from: null, to: null };

async function sparkQuery(where: Partial<Where> = {}, chunks: Chunk[] = [whole]): Promise<SparkQuery> {
  const session = mysqlSession(await connect(server.secret));
  const { columns } = await session.describeTable(relation, {}).finally(() => session.end());
  return mysql.sparkQuery({ connection: server.secret, relation, columns, where: { ...all, ...where } }, chunks);
}

/** As Spark asks for the rows of a chunk. */
const rowsOf = ({ query, conditions }: SparkQuery, chunk = 0) => `SELECT _firn_0 FROM (${query}) AS source_rows WHERE ${conditions[chunk]}`;

beforeAll(async () => {
  server = await startMysql();
  admin = await server.connect();
  await admin.query(`CREATE TABLE counted (id int PRIMARY KEY, at timestamp NULL); INSERT INTO counted SELECT seq, '2024-01-01' FROM seq_1_to_1000;
    ANALYZE TABLE counted; SET GLOBAL optimizer_switch = 'derived_merge=off,derived_with_keys=off,condition_pushdown_for_derived=off'`);
  job = await server.connect();
});
afterAll(() => server.stop());

it('a chunk is read by the index of its key, whatever the server is set to', async () => {
  const query = await sparkQuery({}, [
    { ...whole, column: 'id', to: '900' },
    { ...whole, number: 1, column: 'id', from: '900' },
  ]);
  await job.query(query.session);
  const [plan] = await job.query<RowDataPacket[]>(`EXPLAIN ${rowsOf(query, 1)}`);
  expect(plan).toMatchObject([{ table: 'counted', type: 'range', key: 'PRIMARY' }]);
  const [rows] = await job.query<RowDataPacket[]>(rowsOf(query, 1));
  expect(rows).toHaveLength(101);
});

it('the session of the job writes nothing', async () => {
  await job.query((await sparkQuery()).session);
  await expect(job.query('DELETE FROM counted')).rejects.toMatchObject({ code: 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION' });
});

it('what a job reads holds no bound back', async () => {
  await admin.query('DO GET_LOCK("gate", 10)');
  const query = await sparkQuery({ rowFilter: 'id > 1 OR GET_LOCK("gate", 60) + RELEASE_LOCK("gate") > 0' });
  await job.query(query.session);
  const reading = job.query<RowDataPacket[]>(rowsOf(query));
  const waits = "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'";
  await expect.poll(async () => (await admin.query<RowDataPacket[]>(waits))[0].length).toBe(1);
  const session = mysqlSession(await connect(server.secret));
  const cursor = await session.readCursorColumn(relation, 'at');
  const { fence, readAt, oldest } = await session.observe(relation, cursor, null).finally(() => session.end());
  await admin.query('DO RELEASE_LOCK("gate")');
  expect((await reading)[0]).toHaveLength(1000);
  expect(oldest).toBeNull();
  expect(fence >= readAt).toBe(true);
});

it('a row without a cursor is CursorIsNull before a job is begun, where it is to be an error', async () => {
  await admin.query('INSERT INTO counted VALUES (5000, NULL)');
  const cursor = { column: 'at', from: '2024-01-01', onNull: 'error' } as const;
  await expect(sparkQuery({ cursor })).rejects.toMatchObject({ code: 'CursorIsNull' });
});

it('a column that has gone since the plan is SchemaChangedDuringRun before a job is begun', async () => {
  const session = mysqlSession(await connect(server.secret));
  const { columns } = await session.describeTable(relation, {}).finally(() => session.end());
  await admin.query('ALTER TABLE counted DROP COLUMN at');
  await expect(mysql.sparkQuery({ connection: server.secret, relation, columns, where: all }, [whole])).rejects.toMatchObject({
    code: 'SchemaChangedDuringRun',
  });
});
