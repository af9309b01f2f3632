import { randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { RunLog } from '../log.js';
import { logPrefix } from './layout.js';
import type { RawBucket } from './objects.js';

/** A step that has failed, or is about to run out of time, does not wait for its log longer than this. */
const patience = 10_000;

/** Writes the lines under `_logs/<run>/<step>-<timestamp>-<random>.jsonl`: a file of its own for each attempt of each step. */
export async function keepLog(raw: RawBucket, runId: string, step: string, log: RunLog): Promise<void> {
  const lines = log.lines();
  if (lines === '') return;
  const at = new Date().toISOString().replaceAll(/[-:]/g, '');
  const Key = `${logPrefix(runId)}${step}-${at}-${randomBytes(4).toString('hex')}.jsonl`;
  const put = new PutObjectCommand({ Bucket: raw.bucket, Key, Body: lines, ContentType: 'application/x-ndjson' });
  await raw.client.send(put, { abortSignal: AbortSignal.timeout(patience) });
}
