import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { Random } from '../random.js';
import type { World } from '../world.js';
import type { Tally } from './tally.js';

/** The queue from which the local Snowflake's pipes learn of files (sandbox/snowflake/bucket_events.py). */
const queue = 'sf-snowpipe-local';

interface Message {
  Body: string;
  ReceiptHandle: string;
}

async function sqs<T>(world: World, action: string, body: Record<string, unknown>): Promise<T> {
  const answer = await fetch(world.state.aws.endpoint, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Target': `AmazonSQS.${action}`,
      Authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify({ QueueUrl: `${world.state.aws.endpoint}/000000000000/${queue}`, ...body }),
  });
  return (await answer.json()) as T;
}

/** Takes notifications away, before the pipes get them, and brings them back later, in another order, some of them twice. */
export async function shuffleEvents(world: World, random: Random, tally: Tally, signal: AbortSignal): Promise<void> {
  const bodies: string[] = [];
  const long = { MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: 300 };
  for (let tries = random.between(3, 8); tries > 0 && !signal.aborted; tries--) {
    const { Messages = [] } = await sqs<{ Messages?: Message[] }>(world, 'ReceiveMessage', long);
    for (const { Body, ReceiptHandle } of Messages) {
      await sqs(world, 'DeleteMessage', { ReceiptHandle });
      bodies.push(...(random.chance(0.5) ? [Body, Body] : [Body]));
    }
  }
  for (const MessageBody of bodies.reverse()) await sqs(world, 'SendMessage', { MessageBody });
  tally.add('events shuffled', bodies.length);
}

/** Sends the notification of files again that have been in the bucket for long, whoever wrote them. */
export async function repeatEvents(world: World, random: Random, tally: Tally): Promise<void> {
  const { Contents = [] } = await world.s3.send(
    new ListObjectsV2Command({ Bucket: world.state.bucket, Prefix: 'PostgreSQL/', MaxKeys: 1000 }),
  );
  for (let count = 0; count < 5 && Contents.length > 0; count++) {
    const key = random.pick(Contents).Key!;
    const record = { eventName: 'ObjectCreated:Put', s3: { bucket: { name: world.state.bucket }, object: { key } } };
    await sqs(world, 'SendMessage', { MessageBody: JSON.stringify({ Records: [record] }) });
    tally.add('events repeated');
  }
}
