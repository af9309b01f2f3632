import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Server, type Session, startServer } from './local.js';

let server: Server;
let session: Session;

beforeAll(async () => {
  server = await startServer();
  session = await server.connect();
  await session.query('CREATE DATABASE DEV');
  await session.query('CREATE SCHEMA FIRN');
  await session.query('CREATE TABLE T (ID NUMBER, S VARCHAR, V VARIANT, TS TIMESTAMP_NTZ, B BINARY)');
  await session.query('CREATE SCHEMA ELSEWHERE');
});
afterAll(() => server?.stop());

const procedure = (signature: string, body: string, more = '') =>
  session.query(`CREATE OR REPLACE PROCEDURE FIRN.${signature} LANGUAGE JAVASCRIPT ${more} AS $$ ${body} $$`);
const run = async (call: string, binds?: unknown[]) => Object.values((await session.query(call, binds as never))[0] ?? {})[0];

it('gives arguments by their types, names in upper case', async () => {
  await procedure(
    'ARGS(text VARCHAR, number FLOAT, flag BOOLEAN, json VARIANT, list ARRAY) RETURNS VARIANT',
    'return [TEXT, NUMBER, FLAG, JSON_(), LIST]; function JSON_() { return this.JSON2; }'
      .replace('JSON_()', 'arguments[3]')
      .replace('function JSON_() { return this.JSON2; }', ''),
  );
  expect(await run(`CALL FIRN.ARGS('a', 1.5, TRUE, PARSE_JSON('{"k": [1]}'), ARRAY_CONSTRUCT(1, 'b'))`)).toEqual([
    'a',
    1.5,
    true,
    { k: [1] },
    [1, 'b'],
  ]);
  expect(await run('CALL FIRN.ARGS(?, ?, NULL, NULL, NULL)', ["it's $1 \\ ?", 2])).toEqual(["it's $1 \\ ?", 2, null, null, null]);
});

it('chooses among procedures of one name by the number of arguments', async () => {
  await procedure('MANY(a VARCHAR) RETURNS VARCHAR', "return 'one ' + A;");
  await procedure('MANY(a VARCHAR, b VARCHAR) RETURNS VARCHAR', "return 'two ' + A + B;");
  expect([await run("CALL FIRN.MANY('x')"), await run("CALL FIRN.MANY('x', 'y')")]).toEqual(['one x', 'two xy']);
  await expect(run('CALL FIRN.MANY()')).rejects.toThrow('Unknown user-defined function');
});

it('resolves names in the schema of the procedure, and leaves the session where it was', async () => {
  await procedure(
    'PLACE() RETURNS VARIANT',
    "snowflake.execute({ sqlText: 'INSERT INTO T (ID) VALUES (1)' }); return snowflake.execute({ sqlText: 'DELETE FROM T' }).getNumRowsAffected();",
  );
  expect(await run('CALL FIRN.PLACE()')).toBe(1);
  expect(await session.query('SELECT CURRENT_SCHEMA() AS S')).toEqual([{ S: 'ELSEWHERE' }]);
});

it('gives the values of a result as Snowflake does', async () => {
  await procedure(
    'READS() RETURNS VARIANT',
    `const insert = snowflake.createStatement({ sqlText: 'INSERT INTO T SELECT ?, ?, PARSE_JSON(?), ?, TO_BINARY(?, \\'HEX\\')',
       binds: [1, 'x', '{"k": [1, null]}', new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 678)), '00FF'] });
     insert.execute();
     const statement = snowflake.createStatement({ sqlText: 'SELECT T.*, NULL AS N, COUNT(*) OVER () AS "c" FROM T' });
     const rows = statement.execute();
     rows.next();
     const value = (c) => rows.getColumnValue(c);
     return { inserted: insert.getNumRowsAffected(), id: value('ID'), idType: typeof value(1), s: value('S'), k: value('v').k, ts: value(4).toISOString(), isDate: value(4) instanceof Date,
       b: Array.from(value(5)), n: value('N'), c: value('c'), text: rows.getColumnValueAsString(3), columns: statement.getColumnCount(), name: statement.getColumnName(7), more: rows.next(), rows: statement.getRowCount() };`,
  );
  expect(await run('CALL FIRN.READS()')).toEqual({
    inserted: 1, id: 1, idType: 'number', s: 'x', k: [1, null], ts: '2024-01-02T03:04:05.678Z', isDate: true, b: [0, 255], n: null, c: 1,
    text: '{"k":[1,null]}', columns: 7, name: 'c', more: false, rows: 1,
  }); // biome-ignore format: short
});

it('throws the errors of statements into the procedure, with code and state', async () => {
  await procedure(
    'CATCHES() RETURNS VARIANT',
    "try { snowflake.execute({ sqlText: 'SELECT * FROM NOWHERE' }); } catch (e) { return [e.message, e.code, e.state]; }",
  );
  expect(await run('CALL FIRN.CATCHES()')).toEqual([expect.stringContaining("Object 'NOWHERE' does not exist"), 2003, '42S02']);
});

it.each([
  ['an error', "throw new Error('FIRN:Superseded: run 1')", 'JavaScript execution error: Uncaught Error: FIRN:Superseded: run 1 in FAILS'],
  ['a failed statement', "snowflake.execute({ sqlText: 'SELECT * FROM NOWHERE' })", "Object 'NOWHERE' does not exist"],
  ['a bind that is undefined', "snowflake.execute({ sqlText: 'SELECT ?', binds: [undefined] })", 'Unsupported type for binding argument'],
  [
    'ALTER SESSION in a procedure of its owner',
    'snowflake.execute({ sqlText: "ALTER SESSION SET QUERY_TAG = \'x\'" })',
    "Unsupported statement type 'ALTER_SESSION'",
  ],
  ['USE in a procedure of its owner', "snowflake.execute({ sqlText: 'USE SCHEMA FIRN' })", "Unsupported statement type 'USE'"],
  [
    'an unfinished transaction',
    "snowflake.execute({ sqlText: 'BEGIN' }); snowflake.execute({ sqlText: 'INSERT INTO T (ID) VALUES (5)' })",
    'incomplete and it was rolled back',
  ],
])('fails by %s', async (_, body, message) => {
  await procedure('FAILS() RETURNS VARIANT', body);
  await expect(run('CALL FIRN.FAILS()')).rejects.toThrow(message);
  expect(await session.query('SELECT COUNT(*) AS N FROM FIRN.T WHERE ID = 5')).toEqual([{ N: 0 }]);
});

it('lets a procedure of its caller change the session', async () => {
  await procedure(
    'CALLER() RETURNS VARIANT',
    'snowflake.execute({ sqlText: "ALTER SESSION SET QUERY_TAG = \'x\'" }); return 1;',
    'EXECUTE AS CALLER',
  );
  expect(await run('CALL FIRN.CALLER()')).toBe(1);
});

it('rolls a transaction back and goes on after a failed statement in it', async () => {
  await procedure(
    'ROLLS() RETURNS VARIANT',
    `const run = (sqlText) => snowflake.execute({ sqlText });
     run('DELETE FROM T'); run('BEGIN'); run('INSERT INTO T (ID) VALUES (1)');
     try { run("INSERT INTO T (ID) VALUES ('x')"); } catch (e) { run('INSERT INTO T (ID) VALUES (2)'); }
     run('COMMIT'); run('BEGIN'); run('DELETE FROM T'); run('ROLLBACK');
     const found = run('SELECT COUNT(*) FROM T'); found.next(); return found.getColumnValue(1);`,
  );
  expect(await run('CALL FIRN.ROLLS()')).toBe(2);
});

it('refuses what a JavaScript procedure cannot have', async () => {
  await expect(procedure('BAD(n NUMBER) RETURNS VARIANT', 'return 1;')).rejects.toThrow('Unsupported data type');
  await expect(session.query('CREATE PROCEDURE FIRN.PY() RETURNS VARIANT LANGUAGE PYTHON AS $$ x $$')).rejects.toThrow(
    'Unsupported feature',
  );
});
