import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PartManifest } from '../../../core/plan/manifest.js';
import type { RawBucket } from '../../../core/raw-bucket/objects.js';
import { engineDifferences } from '../../types/engines.js';
import { type RunningMysql, startMysql } from '../source/mysql/running-mysql.js';
import { type RunningPostgres, startPostgres } from '../source/running-postgres.js';
import { type LocalAws, startLocalAws } from '../state/local-aws.js';
import { missingSpark } from './local-spark.js';
import { mysqlReads, mysqlTables } from './mysql-reads.js';
import { postgresReads, postgresTables } from './postgres-reads.js';
import { byLambda, type ReadByBoth, readByBoth } from './read-by-both.js';

const missing = missingSpark();
if (missing) console.warn(missing);

let aws: LocalAws;
let postgres: RunningPostgres;
let mysql: RunningMysql;
let raw: RawBucket;
let reads: Map<string, ReadByBoth>;

/** As the job finds it, and one of a server that is not there. */
async function createSecrets(name: string, connection: object): Promise<void> {
  const secrets = new SecretsManagerClient({});
  const down = { ...connection, port: await getPort({ host: '127.0.0.1' }) };
  for (const [Name, secret] of [
    [name, connection],
    [`${name}-down`, down],
  ] as const)
    await secrets.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(secret) }));
}

beforeAll(async () => {
  if (missing) return;
  // The server's own mode must not change what quotes mean.
  [aws, postgres, mysql] = await Promise.all([
    startLocalAws(),
    startPostgres(),
    startMysql(['--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES']),
  ]);
  raw = { client: new S3Client({}), bucket: 'raw' };
  await raw.client.send(new CreateBucketCommand({ Bucket: raw.bucket }));
  const all = [...(await postgresReads(postgres)), ...(await mysqlReads(mysql))];
  for (const { source } of [all.at(0)!, all.at(-1)!]) await createSecrets(source.type, source.connection);
  reads = await readByBoth(raw, all);
}, 600_000);
afterAll(async () => {
  if (missing) return;
  await Promise.all([aws.stop(), postgres.stop(), mysql.stop()]);
});

describe.skipIf(missing).each([
  { source: 'postgres', tables: postgresTables, address: 'PostgreSQL at 127\\.0\\.0\\.1:\\d+, database postgres' },
  { source: 'mysql', tables: mysqlTables, address: 'MySQL at 127\\.0\\.0\\.1:\\d+, database shop' },
])('the files of both engines (real Spark and $source; S3 is local)', ({ source, tables, address }) => {
  it.each(tables.equal)('hold the same values, in the same types: $what', ({ table }) => {
    const { error, parts, files } = reads.get(`${source} ${table}`)!;
    expect(error).toBeNull();
    expect(files.glue.rows).toEqual(files.lambda.rows);
    const counted = (all: PartManifest[]) => all.map(({ chunk, policyCounts, rows }) => ({ chunk, policyCounts, rows }));
    expect(counted(parts.glue)).toEqual(counted(parts.lambda));
    expect(Object.keys(files.glue.schema)).toEqual(Object.keys(files.lambda.schema));
    for (const [column, type] of Object.entries(files.glue.schema)) {
      const there = files.lambda.schema[column]!;
      const known = engineDifferences.some((one) => one.lambda.test(there) && one.glue.test(type));
      if (!known) expect(`${column}: ${type}`).toBe(`${column}: ${there}`);
    }
  });

  it.each(tables.refused)('refuse $what with the same words', async ({ table }) => {
    const read = reads.get(`${source} ${table}`)!;
    const { code, message } = await byLambda(raw, read).catch((thrown) => thrown);
    expect(code).toBe('ValueOutOfRange');
    expect(read.error).toEqual({ code, message });
  });

  it('say the same of a source that is down', () => {
    expect(reads.get(`${source} down`)!.error).toMatchObject({
      code: 'SourceUnreachable',
      message: expect.stringMatching(new RegExp(`^${address}: .*refused`)),
    });
  });
});
