import type { RowStatement } from 'snowflake-sdk';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { resultOf, type Server, type Session, startServer } from './local.js';

let server: Server;
let session: Session;
const context = { database: 'DEV', schema: 'PUBLIC' };

beforeAll(async () => {
  server = await startServer();
  await (await server.connect()).query('CREATE DATABASE DEV');
});
afterAll(() => server?.stop());
beforeEach(async () => {
  session = await server.connect(context);
});

/** A procedure that says nothing until a row stands in SIGNALS. */
async function createWaiting(name: string): Promise<void> {
  await session.query('CREATE OR REPLACE TABLE SIGNALS (NAME VARCHAR)');
  await session.query(`CREATE OR REPLACE PROCEDURE ${name}(ANSWER VARCHAR) RETURNS VARIANT LANGUAGE JAVASCRIPT AS $$
    for (;;) {
      const found = snowflake.execute({ sqlText: 'SELECT COUNT(*) FROM SIGNALS' });
      found.next();
      if (found.getColumnValue(1) > 0) break;
    }
    if (ANSWER === 'fail') throw new Error('FIRN:CountMismatch: as told');
    return { answer: ANSWER };
  $$`);
}

it('runs an asynchronous statement on after its session has ended, and tells its state to others', async () => {
  await createWaiting('WAITS');
  const submitting = await server.connect(context);
  const id = await submitting.submit('CALL WAITS(?)', ['yes']);
  await submitting.close();
  expect(await session.connection.getQueryStatus(id)).toBe('RUNNING');
  await session.query("INSERT INTO SIGNALS VALUES ('go')");
  expect(await resultOf(session, id)).toEqual([{ WAITS: { answer: 'yes' } }]);
  expect(await session.connection.getQueryStatus(id)).toBe('SUCCESS');
});

it('reports the error of an asynchronous statement with its code', async () => {
  await createWaiting('WAITS');
  await session.query("INSERT INTO SIGNALS VALUES ('go')");
  const id = await session.submit("CALL WAITS('fail')");
  await expect(resultOf(session, id)).rejects.toThrow('Uncaught Error: FIRN:CountMismatch: as told in WAITS');
  expect(await session.connection.getQueryStatus(id)).toBe('FAILED_WITH_ERROR');
  await expect(session.connection.getQueryStatusThrowIfError(id)).rejects.toThrow('FIRN:CountMismatch');
});

it('lets a session go on while its asynchronous statement runs', async () => {
  await createWaiting('WAITS');
  const id = await session.submit("CALL WAITS('later')");
  expect(await session.query('SELECT 1 AS ONE')).toEqual([{ ONE: 1 }]);
  await session.query("INSERT INTO SIGNALS VALUES ('go')");
  expect(await resultOf(session, id)).toEqual([{ WAITS: { answer: 'later' } }]);
});

it('knows no statement that was never submitted', async () => {
  await expect(resultOf(session, '00000000-0000-0000-0000-000000000000')).rejects.toThrow();
});

it('runs several statements of one text', async () => {
  const answers: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    session.connection.execute({
      sqlText:
        "CREATE OR REPLACE TABLE SEVERAL (I NUMBER); INSERT INTO SEVERAL VALUES (1), (2); SELECT 'a;b' AS X, COUNT(*) AS N FROM SEVERAL;",
      parameters: { MULTI_STATEMENT_COUNT: 0 },
      complete: (error, statement, rows) => {
        if (error) return reject(error);
        answers.push(rows);
        const several = statement as RowStatement & { hasNext(): boolean; NextResult(): void };
        if (several.hasNext()) several.NextResult();
        else resolve();
      },
    });
  });
  expect(answers).toEqual([[{ status: 'Table SEVERAL successfully created.' }], [{ 'number of rows inserted': 2 }], [{ X: 'a;b', N: 2 }]]);
});

it('takes many rows of binds', async () => {
  await session.query('CREATE OR REPLACE TABLE MANY (I NUMBER, S VARCHAR, V VARIANT)');
  await session.query('INSERT INTO MANY SELECT ?, ?, PARSE_JSON(?)', [
    [1, "it's", '{"a": 1}'],
    [2, null, '[2]'],
  ] as never);
  await session.query('INSERT INTO MANY (I, S) VALUES (?, ?)', [
    [3, 'x'],
    [4, 'y'],
  ] as never);
  expect(await session.query('SELECT * FROM MANY ORDER BY I')).toEqual([
    { I: 1, S: "it's", V: { a: 1 } },
    { I: 2, S: null, V: [2] },
    { I: 3, S: 'x', V: null },
    { I: 4, S: 'y', V: null },
  ]);
});

const mergeOne = `MERGE INTO COUNTERS AS t USING (SELECT 1 AS ID) AS s ON t.ID = s.ID
WHEN MATCHED THEN UPDATE SET N = t.N + 1 WHEN NOT MATCHED THEN INSERT (ID, N) VALUES (1, 1)`;

it('queues MERGEs of one table, so that none fails and none is lost', async () => {
  await session.query('CREATE OR REPLACE TABLE COUNTERS (ID NUMBER, N NUMBER)');
  const sessions = await Promise.all(Array.from({ length: 6 }, () => server.connect(context)));
  await Promise.all(
    sessions.map(async (one) => {
      for (let i = 0; i < 5; i++) await one.query(mergeOne);
    }),
  );
  expect(await session.query('SELECT * FROM COUNTERS')).toEqual([{ ID: 1, N: 30 }]);
});

it('queues MERGEs within transactions too, also when the transaction has changed another table before', async () => {
  await session.query('CREATE OR REPLACE TABLE COUNTERS (ID NUMBER, N NUMBER)');
  await session.query('CREATE OR REPLACE TABLE NOTES (S VARCHAR)');
  await session.query(`CREATE OR REPLACE PROCEDURE COUNT_ONE() RETURNS VARIANT LANGUAGE JAVASCRIPT AS $$
    const run = (sqlText) => snowflake.execute({ sqlText });
    run('BEGIN TRANSACTION');
    run("INSERT INTO NOTES VALUES ('before')");
    run(${JSON.stringify(mergeOne)});
    const seen = run('SELECT N FROM COUNTERS');
    seen.next();
    run('COMMIT');
    return seen.getColumnValue(1);
  $$`);
  const ids = await Promise.all(Array.from({ length: 12 }, () => session.submit('CALL COUNT_ONE()')));
  const seen = await Promise.all(ids.map((id) => resultOf(session, id)));
  expect(seen.map(([row]) => Number(row?.COUNT_ONE)).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(await session.query('SELECT (SELECT N FROM COUNTERS) AS N, (SELECT COUNT(*) FROM NOTES) AS NOTES')).toEqual([
    { N: 12, NOTES: 12 },
  ]);
});

it('lets INSERTs go on beside an open MERGE, and DDL of other tables', async () => {
  await session.query('CREATE OR REPLACE TABLE COUNTERS (ID NUMBER, N NUMBER)');
  const other = await server.connect(context);
  await session.query('BEGIN');
  await session.query(mergeOne);
  await other.query('INSERT INTO COUNTERS VALUES (2, 2)');
  await other.query('CREATE OR REPLACE TABLE ELSEWHERE (X NUMBER)');
  expect(await other.query('SELECT * FROM COUNTERS')).toEqual([{ ID: 2, N: 2 }]);
  await session.query('COMMIT');
  expect(await other.query('SELECT COUNT(*) AS N FROM COUNTERS')).toEqual([{ N: 2 }]);
});

it('shows a transaction what others commit meanwhile to tables that it has not changed', async () => {
  await session.query('CREATE OR REPLACE TABLE COUNTERS (ID NUMBER, N NUMBER)');
  await session.query('CREATE OR REPLACE TABLE NOTES (S VARCHAR)');
  const other = await server.connect(context);
  await session.query('BEGIN');
  await session.query(mergeOne);
  await other.query("INSERT INTO NOTES VALUES ('meanwhile')");
  expect(await session.query('SELECT S FROM NOTES')).toEqual([{ S: 'meanwhile' }]);
  expect(await session.query('SELECT N FROM COUNTERS')).toEqual([{ N: 1 }]);
  await session.query('ROLLBACK');
});

it('creates the same objects from several sessions at once', async () => {
  const sessions = await Promise.all(Array.from({ length: 6 }, () => server.connect(context)));
  await Promise.all(
    sessions.map(async (one) => {
      await one.query('CREATE SCHEMA IF NOT EXISTS TOGETHER');
      await one.query('CREATE TABLE IF NOT EXISTS TOGETHER.T (ID NUMBER)');
      await one.query('CREATE OR REPLACE VIEW TOGETHER.V AS SELECT ID FROM TOGETHER.T');
      await one.query('ALTER TABLE TOGETHER.T ADD COLUMN IF NOT EXISTS C VARCHAR');
      await one.query("INSERT INTO TOGETHER.T VALUES (1, 'x')");
    }),
  );
  expect(await session.query('SELECT COUNT(*) AS N FROM TOGETHER.V')).toEqual([{ N: 6 }]);
});

it('keeps everything over a restart', async () => {
  await session.query('CREATE SCHEMA KEPT');
  await session.query('CREATE TABLE KEPT.T (N NUMBER(12,2), TZ TIMESTAMP_LTZ(6), "o d d" OBJECT)');
  await session.query("INSERT INTO KEPT.T SELECT 1.5, '2024-01-01 00:00:00 +00:00'::TIMESTAMP_LTZ, OBJECT_CONSTRUCT('a', 1)");
  await session.query('CREATE VIEW KEPT.V AS SELECT N::VARCHAR AS N, "o d d":a::NUMBER AS A FROM T');
  await session.query('CREATE PROCEDURE KEPT.P(A FLOAT) RETURNS FLOAT LANGUAGE JAVASCRIPT AS $$ return A + 1; $$');
  await session.query(
    "CREATE STORAGE INTEGRATION KEPT_S3 TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/x' STORAGE_ALLOWED_LOCATIONS = ('s3://b/')",
  );
  const before = await session.query('DESC INTEGRATION KEPT_S3');
  const types =
    "SELECT column_name, data_type, numeric_scale, datetime_precision FROM INFORMATION_SCHEMA.COLUMNS WHERE table_schema = 'KEPT' ORDER BY 1, 2";
  const columns = await session.query(types);
  await server.restart();
  session = await server.connect(context);
  expect(await session.query('SELECT * FROM KEPT.V')).toEqual([{ N: '1.50', A: 1 }]);
  expect(await session.query('CALL KEPT.P(1)')).toEqual([{ P: 2 }]);
  expect(await session.query('DESC INTEGRATION KEPT_S3')).toEqual(before);
  expect(await session.query(types)).toEqual(columns);
  await session.query('ALTER TABLE KEPT.T ADD COLUMN X VARCHAR');
});
