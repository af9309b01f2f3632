import { rmSync } from 'node:fs';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PartManifest } from '../../../core/plan/manifest.js';
import type { RawBucket } from '../../../core/raw-bucket/objects.js';
import { engineDifferences } from '../../types/engines.js';
import { type RunningMysql, startMysql } from '../source/mysql/running-mysql.js';
import { serverCertificate, tlsOptions } from '../source/mysql/server-certificate.js';
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
let tls: string;
let raw: RawBucket;
let reads: Map<string, ReadByBoth>;

beforeAll(async () => {
  if (missing) return;
  tls = serverCertificate();
  // The server's own mode must not change what quotes mean.
  const settings = [...tlsOptions(tls), '--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES'];
  [aws, postgres, mysql] = await Promise.all([startLocalAws(), startPostgres(), startMysql(settings)]);
  raw = { client: new S3Client({}), bucket: 'raw' };
  await raw.client.send(new CreateBucketCommand({ Bucket: raw.bucket }));
  reads = await readByBoth(raw, [...(await postgresReads(postgres)), ...(await mysqlReads(mysql, tls))]);
}, 600_000);
afterAll(async () => {
  if (missing) return;
  await Promise.all([aws.stop(), postgres.stop(), mysql.stop()]);
  rmSync(tls, { recursive: true });
});

describe.skipIf(missing).each([
  { source: 'postgres', tables: postgresTables },
  { source: 'mysql', tables: mysqlTables },
])('the files of both engines (real Spark and $source; S3 is local)', ({ source, tables }) => {
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

  it.each(tables.failing)('say the same of $what', ({ table, code, message }) => {
    expect(reads.get(`${source} ${table}`)!.error).toEqual({ code, message: expect.stringMatching(message) });
  });
});
