import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import getPort from 'get-port';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Server, type Session, startServer } from './local.js';

interface Seen {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}
type Reply = { status: number; body?: unknown };
type Handler = (seen: Seen, rows: unknown[][]) => Reply | Promise<Reply>;

let server: Server;
let session: Session;
let seen: Seen[] = [];
const echo: Handler = (_, rows) => ({ status: 200, body: { data: rows.map(([number, ...rest]) => [number, { got: rest }]) } });
let handler = echo;
const gateway = createServer(async (request, response) => {
  const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: await text(request) };
  if (!one.url.includes('_user_request_')) {
    // The account's queue is looked for at the same address.
    response.writeHead(404).end();
    return;
  }
  seen.push(one);
  const reply = await answer(one);
  response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body === undefined ? '' : JSON.stringify(reply.body));
});

/** A handler that fails is a refusal with its message, so that the test fails by it instead of waiting for an answer. */
async function answer(one: Seen): Promise<Reply> {
  try {
    return await handler(one, one.body ? JSON.parse(one.body).data : []);
  } catch (cause) {
    return { status: 400, body: { message: String(cause) } };
  }
}

async function text(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

const api = 'https://abc123.execute-api.eu-central-1.amazonaws.com/prod';
const create = (signature: string, more = '') =>
  session.query(`CREATE OR REPLACE EXTERNAL FUNCTION FIRN.${signature} RETURNS VARIANT NOT NULL CALLED ON NULL INPUT VOLATILE
API_INTEGRATION = FIRN_API CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE) ${more} AS '${api}/ingest'`);

beforeAll(async () => {
  const port = await getPort({ host: '127.0.0.1' });
  await new Promise<void>((resolve) => gateway.listen(port, '127.0.0.1', resolve));
  server = await startServer(`http://127.0.0.1:${port}`);
  session = await server.connect({ role: 'loader' });
  await session.query('CREATE DATABASE DEV');
  await session.query('CREATE SCHEMA FIRN');
  await session.query(
    `CREATE API INTEGRATION FIRN_API API_PROVIDER = aws_api_gateway API_AWS_ROLE_ARN = 'arn:aws:iam::1:role/x' ENABLED = TRUE API_ALLOWED_PREFIXES = ('${api}/')`,
  );
  await create('INGEST_TABLE(s VARCHAR, d VARCHAR, t VARCHAR)', 'MAX_BATCH_ROWS = 100');
  await create('INGEST_TABLE(s VARCHAR, d VARCHAR, t VARCHAR, options OBJECT)', 'MAX_BATCH_ROWS = 100');
});
afterAll(async () => {
  await server?.stop();
  gateway.closeAllConnections();
  gateway.close();
});
afterEach(() => {
  seen = [];
});

it('sends a batch with the headers of the documentation, signed, and polls until 200', async () => {
  let polls = 0;
  handler = (request, rows) => {
    if (request.method === 'POST') return { status: 202 };
    polls += 1;
    return polls < 3 ? { status: 202 } : { status: 200, body: { data: [[0, { ok: true, rows: rows.length }]] } };
  };
  expect(await session.query("SELECT FIRN.INGEST_TABLE('PostgreSQL', 'clr', NULL) AS R")).toEqual([{ R: { ok: true, rows: 0 } }]);
  const [post, ...gets] = seen;
  expect(post?.url).toBe('/restapis/abc123/prod/_user_request_/ingest');
  expect(JSON.parse(post?.body ?? '')).toEqual({ data: [[0, 'PostgreSQL', 'clr', null]] });
  expect(post?.headers).toMatchObject({
    'sf-external-function-format': 'json',
    'sf-external-function-format-version': '1.0',
    'sf-external-function-name': 'INGEST_TABLE',
    'sf-external-function-signature': '(S VARCHAR, D VARCHAR, T VARCHAR)',
    'sf-external-function-return-type': 'VARIANT',
    'sf-context-current-user': 'FIRN',
    'sf-context-current-role': 'LOADER',
    authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=.*\/eu-central-1\/execute-api\/aws4_request/),
  });
  expect(post?.headers['sf-external-function-current-query-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(gets).toHaveLength(3);
  for (const get of gets) {
    expect(get).toMatchObject({ method: 'GET', body: '' });
    expect(get.headers['sf-external-function-query-batch-id']).toBe(post?.headers['sf-external-function-query-batch-id']);
  }
});

it('chooses among functions of one name by the number of arguments; an OBJECT travels as an object', async () => {
  handler = echo;
  await session.query('USE SCHEMA DEV.FIRN');
  expect(
    await session.query("SELECT ingest_table('a', 'b', 'c', {'wait': FALSE, 'n': 1.5}):got[3] AS O, ingest_table(1, 'b', 'c'):got AS A"),
  ).toEqual([{ O: { wait: false, n: 1.5 }, A: ['1', 'b', 'c'] }]);
  await expect(session.query("SELECT ingest_table('a')")).rejects.toThrow('Unknown function INGEST_TABLE');
});

it('fans a table out in batches of MAX_BATCH_ROWS, each row with its own answer', async () => {
  handler = echo;
  const rows = await session.query(
    "SELECT SEQ4() AS I, FIRN.INGEST_TABLE('s', 'd', 't' || I):got[2]::VARCHAR AS T FROM TABLE(GENERATOR(ROWCOUNT => 250))",
  );
  expect(rows.map(({ I, T }) => T === `t${I}`)).toEqual(Array.from({ length: 250 }, () => true));
  expect(seen.map(({ body }) => JSON.parse(body).data.length).sort((a, b) => b - a)).toEqual([100, 100, 50]);
  expect(new Set(seen.map(({ headers }) => headers['sf-external-function-query-batch-id'])).size).toBe(3);
});

it('waits for answers while other sessions change and define tables', async () => {
  await session.query('CREATE OR REPLACE TABLE FIRN.TABLES (NAME VARCHAR)');
  await session.query("INSERT INTO FIRN.TABLES VALUES ('a'), ('b'), ('c')");
  handler = async (request, rows) => {
    const other = await server.connect({ database: 'DEV', schema: 'FIRN' });
    await other.query('CREATE TABLE IF NOT EXISTS FIRN.WORK (NAME VARCHAR, N NUMBER)');
    await other.query('ALTER TABLE FIRN.TABLES ADD COLUMN IF NOT EXISTS SEEN BOOLEAN');
    await other.query(
      'MERGE INTO FIRN.WORK AS t USING FIRN.TABLES AS s ON t.NAME = s.NAME WHEN MATCHED THEN UPDATE SET N = t.N + 1 WHEN NOT MATCHED THEN INSERT VALUES (s.NAME, 1)',
    );
    // A name of its own: two sessions that insert one name would rightly make the next MERGE ambiguous.
    await other.query(`INSERT INTO FIRN.TABLES (NAME) VALUES ('late ${request.headers['sf-external-function-query-batch-id']}')`);
    await other.close();
    return echo(request, rows);
  };
  const sessions = await Promise.all([1, 2, 3].map(() => server.connect({ database: 'DEV', schema: 'FIRN' })));
  const answers = await Promise.all(
    sessions.map((one) => one.query("SELECT NAME, INGEST_TABLE('s', 'd', NAME):got[2]::VARCHAR AS T FROM TABLES")),
  );
  for (const rows of answers) expect(rows.every(({ NAME, T }) => NAME === T)).toBe(true);
  expect(await session.query("SELECT N FROM FIRN.WORK WHERE NAME = 'a'")).toEqual([{ N: 3 }]);
});

it('may be called while rows are inserted', async () => {
  handler = echo;
  await session.query('CREATE OR REPLACE TABLE FIRN.RECEIPTS (R VARIANT)');
  await session.query("INSERT INTO FIRN.RECEIPTS SELECT FIRN.INGEST_TABLE('a', 'b', 'c')");
  expect(await session.query('SELECT R:got[0]::VARCHAR AS A FROM FIRN.RECEIPTS')).toEqual([{ A: 'a' }]);
});

it.each<[string, Handler, string]>([
  [
    'a refusal',
    () => ({ status: 403, body: { message: 'Forbidden' } }),
    'Request failed for external function INGEST_TABLE with remote service error: 403 \'{"message":"Forbidden"}\'',
  ],
  ['a fault that stays', () => ({ status: 500 }), 'Request failed for external function INGEST_TABLE with remote service error: 500'],
  [
    'an answer without its rows',
    () => ({ status: 200, body: { data: [] } }),
    'Error parsing JSON response for external function INGEST_TABLE',
  ],
])('fails by %s', async (_, reply, message) => {
  handler = reply;
  await expect(session.query("SELECT FIRN.INGEST_TABLE('a', 'b', 'c')")).rejects.toThrow(message);
});

it('repeats a batch with its id after a transient fault', async () => {
  let first = true;
  handler = (request, rows) => {
    if (first) {
      first = false;
      return { status: 503 };
    }
    return echo(request, rows);
  };
  expect(await session.query("SELECT FIRN.INGEST_TABLE('a', 'b', 'c'):got[0]::VARCHAR AS A")).toEqual([{ A: 'a' }]);
  const [one, two] = seen;
  expect(two?.headers['sf-external-function-query-batch-id']).toBe(one?.headers['sf-external-function-query-batch-id']);
});

it('refuses a URL that its integration does not allow', async () => {
  await expect(
    session.query(
      "CREATE EXTERNAL FUNCTION FIRN.OTHER(a VARCHAR) RETURNS VARIANT API_INTEGRATION = FIRN_API AS 'https://x.execute-api.eu-central-1.amazonaws.com/prod/x'",
    ),
  ).rejects.toThrow('not allowed by API integration');
});

it('sends each batch twice when told, to prove that its receiver is idempotent', async () => {
  process.env.FIRN_SNOWFLAKE_REPEAT_POST = '1';
  await server.restart();
  delete process.env.FIRN_SNOWFLAKE_REPEAT_POST;
  session = await server.connect({ database: 'DEV', schema: 'FIRN' });
  handler = echo;
  expect(await session.query("SELECT INGEST_TABLE('a', 'b', 'c'):got[0]::VARCHAR AS A")).toEqual([{ A: 'a' }]);
  const [one, two] = seen;
  expect(seen).toHaveLength(2);
  expect(two).toMatchObject({ method: 'POST', body: one?.body });
  expect(two?.headers['sf-external-function-query-batch-id']).toBe(one?.headers['sf-external-function-query-batch-id']);
});
