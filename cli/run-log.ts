import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { FirnError } from '../core/errors.js';
import { logPrefix } from '../core/raw-bucket/layout.js';

/** A line as pino writes it. */
export interface LogLine extends Record<string, unknown> {
  time: string;
  level: string;
  msg: string;
}

/** Every line that the run's steps have left in the bucket, in the order of time. Throws RunNotFound when there is none. */
export async function readRunLog(bucket: string, run: string): Promise<LogLine[]> {
  const client = new S3Client({});
  const keys: string[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: logPrefix(run) })) {
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
  }
  if (keys.length === 0) throw new FirnError('RunNotFound', `no log of run ${run} in s3://${bucket}/${logPrefix(run)}`);
  const texts = await Promise.all(
    keys.map(async (Key) => (await client.send(new GetObjectCommand({ Bucket: bucket, Key }))).Body!.transformToString()),
  );
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== '')).map((line) => JSON.parse(line) as LogLine);
  return lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}
