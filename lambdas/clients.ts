import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GlueClient } from '@aws-sdk/client-glue';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { RawBucket } from '../core/raw-bucket/objects.js';
import { stepFunctions } from '../core/state/executions.js';
import type { RuntimeState } from '../core/state/runtime-state.js';

/** One client per container; endpoint, region and credentials come from the standard environment. Marked pure: a bundle keeps those it uses. */
export const documents = /* @__PURE__ */ DynamoDBDocumentClient.from(/* @__PURE__ */ new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});
export const s3 = /* @__PURE__ */ new S3Client({});
export const sfn = /* @__PURE__ */ new SFNClient({});
export const glue = /* @__PURE__ */ new GlueClient({});
export const lambda = /* @__PURE__ */ new LambdaClient({});
export const sns = /* @__PURE__ */ new SNSClient({});

/** A variable of docs/architecture.md. Throws when the deployment has not set it. */
export function environment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`The environment variable ${name} is not set.`);
  return value;
}

export const runtimeState = (): RuntimeState => ({
  documents,
  table: environment('RUNTIME_STATE'),
  executions: stepFunctions(sfn, environment('INGEST_STATE_MACHINE_ARN')),
});

export const rawBucket = (): RawBucket => ({ client: s3, bucket: environment('RAW_BUCKET') });
