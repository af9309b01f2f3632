import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { localPython } from '../state/local-aws.js';

/** A state machine whose executions end or not as its one state says. @returns its ARN */
export async function createStateMachine(name: string, state: Record<string, unknown>): Promise<string> {
  const { stateMachineArn } = await new SFNClient({}).send(
    new CreateStateMachineCommand({
      name,
      roleArn: 'arn:aws:iam::000000000000:role/firn',
      definition: JSON.stringify({ StartAt: 'Only', States: { Only: state } }),
    }),
  );
  return stateMachineArn!;
}

/** A function that answers `{}` to everything. */
export async function createFunction(FunctionName: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'firn-function-'));
  try {
    await writeFile(join(folder, 'index.mjs'), 'export const handler = async () => ({});\n');
    await promisify(execFile)(localPython(), ['-m', 'zipfile', '-c', 'function.zip', 'index.mjs'], { cwd: folder });
    const ZipFile = await readFile(join(folder, 'function.zip'));
    await new LambdaClient({}).send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: 'arn:aws:iam::000000000000:role/firn',
        Code: { ZipFile },
      }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

export async function createBucket(Bucket: string): Promise<void> {
  await new S3Client({}).send(new CreateBucketCommand({ Bucket }));
}

/** The run's log lines on S3, by the name of the file up to its time. */
export async function keptLog(Bucket: string, runId: string): Promise<{ step: string; lines: Record<string, unknown>[] }[]> {
  const s3 = new S3Client({});
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: `_logs/${runId}/` }));
  return Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const text = await Body!.transformToString();
      const lines = text.trimEnd().split('\n');
      return { step: /([a-z-]+)-\d{8}T[\d.]+Z-[0-9a-f]{8}\.jsonl$/.exec(Key!)![1]!, lines: lines.map((line) => JSON.parse(line)) };
    }),
  );
}
