import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Plan } from '../../../core/plan/plan.js';
import type { RawBucket } from '../../../core/raw-bucket/objects.js';

/** Puts the rows of a DuckDB query on S3 as a file of the run: what the extractor would have written. */
export async function putParquet(raw: RawBucket, plan: Pick<Plan, 'run' | 'order'>, key: string, select: string): Promise<void> {
  const folder = await mkdtemp('/tmp/firn-test-parquet-');
  const connection = await (await DuckDBInstance.create()).connect();
  const system = `'${plan.run.runId}' AS "_FIRN_RUN", 'R' AS "_FIRN_OP", '${plan.order}' AS "_FIRN_ORDER"`;
  await connection.run(`COPY (SELECT *, ${system} FROM (${select})) TO '${folder}/file.parquet' (FORMAT parquet)`);
  await raw.client.send(new PutObjectCommand({ Bucket: raw.bucket, Key: key, Body: await readFile(`${folder}/file.parquet`) }));
  await rm(folder, { recursive: true });
}
