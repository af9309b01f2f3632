import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type * as z from 'zod';

/** The raw bucket's JSON documents: each is written once and never changed. */
export interface RawBucket {
  client: S3Client;
  bucket: string;
}

const hasName = (error: unknown, names: string[]): boolean => error instanceof Error && names.includes(error.name);

/** The document under `key`, checked; null when there is none. @throws ZodError when it is not what the schema says. */
export async function readJson<T>(raw: RawBucket, key: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    const { Body } = await raw.client.send(new GetObjectCommand({ Bucket: raw.bucket, Key: key }));
    return schema.parse(JSON.parse(await Body!.transformToString()));
  } catch (error) {
    if (hasName(error, ['NoSuchKey', 'NotFound'])) return null;
    throw error;
  }
}

/** Writes `document` under `key` unless something is there. Answers what is there in the end: who comes second reads the first. */
export async function writeJsonOnce<T>(raw: RawBucket, key: string, schema: z.ZodType<T>, document: T): Promise<T> {
  try {
    await raw.client.send(
      new PutObjectCommand({
        Bucket: raw.bucket,
        Key: key,
        Body: JSON.stringify(document),
        ContentType: 'application/json',
        IfNoneMatch: '*',
      }),
    );
    return document;
  } catch (error) {
    // 409: another conditional write of the same key is under way; it may still fail, so the SDK's caller tries again.
    if (hasName(error, ['PreconditionFailed'])) return (await readJson(raw, key, schema))!;
    if (hasName(error, ['ConditionalRequestConflict'])) return writeJsonOnce(raw, key, schema, document);
    throw error;
  }
}
