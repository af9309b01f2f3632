import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, ExecutionNotRedrivable, type SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import * as z from 'zod';
import { writeJsonOnce } from '../../../core/raw-bucket/objects.js';
import { openS3File } from '../../../core/source/sink-s3.js';
import { joinOrStart } from '../../../core/state/claim.js';
import { stepFunctions } from '../../../core/state/executions.js';
import { ensureGoldRuns } from '../../../core/state/gold.js';
import { claimPublication } from '../../../core/state/publications.js';
import { createRun, finishRun, reopenRun } from '../../../core/state/runs.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { Line } from '../../faults/line.js';
import { ExecutionsDouble } from './executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from './local-aws.js';

let aws: LocalAws;
let line: Line;
let s3: S3Client;
let state: RuntimeState;
let runId: string;

beforeAll(async () => {
  aws = await startLocalAws();
  await createStateTable('state');
  await new S3Client({ forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: 'raw' }));
  line = new Line('lost answers', 1, () => Number(new URL(aws.endpoint).port));
  const endpoint = `http://127.0.0.1:${await line.open()}`;
  s3 = new S3Client({ forcePathStyle: true, endpoint });
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint }), { marshallOptions: { removeUndefinedValues: true } });
  state = { documents, table: 'state', executions: new ExecutionsDouble() };
});
afterAll(async () => {
  await line.close();
  await aws.stop();
});
beforeEach(async () => {
  runId = ulid();
  await createRun(state, { run: { runId, source: 'PostgreSQL', database: 'clr', table: 'orders' }, mode: 'full' });
});

const loseNextAnswer = () => line.set({ rate: 1, kinds: ['lost'], requests: 1 });

async function writeObject(bytes: number): Promise<number> {
  const sink = openS3File(s3, 'raw', `${runId}.parquet`);
  await sink.write(Buffer.alloc(bytes, 1));
  loseNextAnswer();
  await sink.close();
  return (await s3.send(new HeadObjectCommand({ Bucket: 'raw', Key: sink.name }))).ContentLength!;
}

const mebibyte = 1 << 20;
const place = () => joinOrStart(state, { runId, source: 'PostgreSQL', database: 'clr', table: runId }, 'full');

it.each<{ what: string; work: () => Promise<unknown>; answer: unknown }>([
  { what: 'a small file is written', work: () => writeObject(100), answer: 100 },
  { what: 'a file of several parts is completed', work: () => writeObject(16 * mebibyte), answer: 16 * mebibyte },
  {
    what: 'a document is written',
    work: () => {
      loseNextAnswer();
      return writeJsonOnce({ client: s3, bucket: 'raw' }, runId, z.string(), 'mine');
    },
    answer: 'mine',
  },
  {
    what: 'a failure is published',
    work: () => {
      loseNextAnswer();
      return claimPublication(state, runId, 0);
    },
    answer: true,
  },
  {
    what: 'a failed run is opened again',
    work: async () => {
      await finishRun(state, runId, { status: 'FAILED', finishedAt: '', error: null });
      loseNextAnswer();
      return reopenRun(state, runId, 'batch');
    },
    answer: true,
  },
  {
    what: 'gold is begun',
    work: async () => {
      const gold = new ExecutionsDouble();
      // The item is read first.
      line.set({ rate: 1, kinds: ['lost'], requests: 1, after: 1 });
      await ensureGoldRuns(state, gold);
      return gold.started.length;
    },
    answer: 1,
  },
  {
    what: 'a table is claimed',
    work: async () => {
      line.set({ rate: 1, kinds: ['lost'], requests: 1, after: 1 });
      return (await place()).joined;
    },
    answer: false,
  },
])('AWS does what was asked, and its answer is lost: $what (DynamoDB and S3 local)', async ({ work, answer }) => {
  expect(await work()).toEqual(answer);
  expect(line.left).toBe(0);
});

it('a redrive whose answer was lost, and that is refused when the SDK asks again, counts (Step Functions scripted)', async () => {
  const client = {
    send: async (command: object) => {
      if (command instanceof DescribeExecutionCommand) return { status: 'RUNNING', redriveCount: 1 };
      throw new ExecutionNotRedrivable({ message: 'it runs', $metadata: {} });
    },
  } as unknown as SFNClient;
  expect(await stepFunctions(client, 'arn:aws:states:us-east-1:0:stateMachine:ingest').redrive('arn')).toBe(true);
});
