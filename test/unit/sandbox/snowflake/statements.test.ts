import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, type Session, startServer } from './local.js';
import { changes, objects, type Statement, values } from './statements.js';

let server: Server;
let session: Session;

beforeAll(async () => {
  server = await startServer();
  session = await server.connect({ role: 'firn_role', warehouse: 'firn_wh' });
});
afterAll(() => server?.stop());

async function check([sql, expected, binds]: Statement): Promise<void> {
  const answer = await session.query(sql, binds as never).catch((error: Error) => error);
  if (typeof expected === 'string') {
    expect(answer, sql).toBeInstanceOf(Error);
    expect((answer as Error).message, sql).toContain(expected);
    return;
  }
  if (answer instanceof Error) throw new Error(`${sql}: ${answer.message}`);
  if (typeof expected === 'number') expect(answer, sql).toHaveLength(expected);
  else if (expected) expect(JSON.parse(JSON.stringify(answer)), sql).toEqual(expected);
}

describe.sequential.each([
  ['objects and names', objects],
  ['values', values],
  ['changes of rows', changes],
])('%s', (_, statements) => {
  it.each(statements.map((statement) => [statement[0].replace(/\s+/g, ' ').slice(0, 100), statement] as const))('%s', (_name, statement) =>
    check(statement),
  );
});
