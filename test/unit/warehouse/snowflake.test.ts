import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSnowflake } from '../../../core/warehouse/snowflake.js';
import { type LocalSnowflake, startLocalSnowflake } from '../sql/local-snowflake.js';

const secret = {
  account: 'local',
  user: 'FIRN',
  privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  role: 'FIRN',
  warehouse: 'FIRN',
  database: 'DEV_FIRN',
};

describe('a session', () => {
  let snowflake: LocalSnowflake;
  beforeAll(async () => {
    snowflake = await startLocalSnowflake();
  });
  afterAll(() => snowflake?.stop());

  it('binds values', async () => {
    expect(await snowflake.warehouse.query('SELECT CAST(? AS VARCHAR) AS A, CAST(? AS NUMBER) AS B', ['it\'s \\ "', 7])).toEqual([
      { A: 'it\'s \\ "', B: 7 },
    ]);
  });

  it('submits a statement, follows it and reads its rows', async () => {
    const queryId = await snowflake.warehouse.submit('SELECT 7 AS A UNION ALL SELECT 8');
    while ((await snowflake.warehouse.status(queryId)) === 'RUNNING') await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await snowflake.warehouse.status(queryId)).toBe('SUCCEEDED');
    expect(await snowflake.warehouse.result(queryId)).toEqual([{ A: 7 }, { A: 8 }]);
  });

  it('does not wait for ever for a statement that Snowflake does not know', async () => {
    const session = await connectSnowflake(snowflake.secret, { queryTag: {}, unknownStatementMillis: 0 });
    expect(await session.status('01b0c0de-0000-0000-0000-000000000000')).toMatchObject({ failed: { code: 'WarehouseUnreachable' } });
    await session.close();
  });

  it('names the error of a statement', async () => {
    await expect(snowflake.warehouse.query('SELEC 1')).rejects.toMatchObject({ name: 'WarehouseStatementFailed' });
    await expect(snowflake.warehouse.query('SELECT * FROM FIRN.NOWHERE')).rejects.toMatchObject({ name: 'WarehousePermissionDenied' });
  });
});

it('says that a key is no key, without showing it', async () => {
  const broken = {
    ...secret,
    privateKey: '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----',
    accessUrl: 'http://127.0.0.1:9',
  };
  const error = await connectSnowflake(broken, { queryTag: {} }).catch((thrown) => thrown);
  expect(error).toMatchObject({ name: 'WarehouseCredentialsRejected' });
  expect(error.message).not.toContain('c2VjcmV0');
});
