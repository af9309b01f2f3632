import { CreateSecretCommand, GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import getPort from 'get-port';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../core/receipt/receipt.js';
import { differences } from './compare.js';
import { pushConfig, useSandbox } from './fixture.js';

const firn = useSandbox();

const secret = 'firn/dev/Branch/branch';
const secrets = () => new SecretsManagerClient({});

/** A source of its own, so that its outage disturbs no other test. */
describe('while a source cannot be read', () => {
  let source: pg.Client;
  let good: Record<string, unknown>;

  beforeAll(async () => {
    await firn.source.query('CREATE DATABASE branch');
    source = new pg.Client({ connectionString: firn.sandbox.postgres.adminUrl.replace(/clr$/, 'branch') });
    await source.connect();
    await source.query(`CREATE TABLE till (id integer PRIMARY KEY, amount numeric(10,2), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
      INSERT INTO till SELECT n, n * 1.5 FROM generate_series(1, 100) n; GRANT SELECT ON till TO firn`);
    const { SecretString } = await secrets().send(new GetSecretValueCommand({ SecretId: firn.sandbox.postgres.secret }));
    good = { ...JSON.parse(SecretString!), database: 'branch' };
    await secrets().send(new CreateSecretCommand({ Name: secret, SecretString: JSON.stringify(good) }));
    const tables = [{ table: 'till', mode: 'incremental', cursor_column: 'updated_at' }];
    await pushConfig(firn.sandbox, [{ source: 'Branch', database: 'branch', type: 'postgres', secret, tables }]);
    expect(await ingest()).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 100 });
  });

  afterAll(() => source?.end());

  const put = (value: Record<string, unknown>) =>
    secrets().send(new PutSecretValueCommand({ SecretId: secret, SecretString: JSON.stringify(value) }));
  const ingest = async (): Promise<Receipt> => {
    const [row] = await firn.warehouse.query("SELECT ingest_table('Branch', 'branch', 'till') AS receipt");
    return row!.RECEIPT as Receipt;
  };

  const outages = [
    { what: 'it is down', code: 'SourceUnreachable', change: async () => ({ port: await getPort() }) },
    { what: 'the password is wrong', code: 'SourceCredentialsRejected', change: async () => ({ password: 'hunter2-wrong' }) },
    { what: 'the database does not exist', code: 'SourceCredentialsRejected', change: async () => ({ database: 'nowhere' }) },
  ];
  it.each(outages)('$what: the run fails with $code, tells no secret, and is redriven when it is back', async ({ code, change }) => {
    await source.query('UPDATE till SET amount = amount + 1, updated_at = clock_timestamp() WHERE id <= 10');
    const bad: Record<string, unknown> = { ...good, ...(await change()) };
    await put(bad);
    const failed = await ingest();
    expect(failed).toMatchObject({ status: 'FAILED', error: { code } });
    expect(JSON.stringify(failed)).not.toContain(bad.password);

    await put(good);
    const done = await firn.redrive(failed);
    expect(done).toMatchObject({ status: 'SUCCEEDED', run_id: failed.run_id, error: null });
    expect(done.rows_updated).toBe(10);
    const staging = { schema: 'STAGING_BRANCH', table: 'TILL' };
    expect(await differences({ source, warehouse: firn.warehouse, table: 'till', staging })).toEqual([]);
  });
});
