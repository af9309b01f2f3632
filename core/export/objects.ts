import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { inParallel } from '../start/parallel.js';
import type { ExportsBucket } from './context.js';

export interface ObjectFacts {
  bytes: number;
  metadata: Record<string, string>;
}

/** Null when there is none. */
export async function headObject({ client, bucket }: ExportsBucket, key: string): Promise<ObjectFacts | null> {
  try {
    const { ContentLength, Metadata } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return { bytes: ContentLength ?? 0, metadata: Metadata ?? {} };
  } catch (error) {
    if (error instanceof Error && ['NotFound', 'NoSuchKey'].includes(error.name)) return null;
    throw error;
  }
}

/** Objects below a folder, by key. */
export async function listFolder({ client, bucket }: ExportsBucket, folder: string): Promise<{ key: string; bytes: number }[]> {
  const found: { key: string; bytes: number }[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: folder })) {
    found.push(...(page.Contents ?? []).map(({ Key, Size }) => ({ key: Key!, bytes: Size ?? 0 })));
  }
  return found;
}

/** S3 takes so many keys at once. */
const keysPerDelete = 1000;

export async function deleteObjects({ client, bucket }: ExportsBucket, keys: string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += keysPerDelete) {
    const Objects = keys.slice(from, from + keysPerDelete).map((Key) => ({ Key }));
    const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
    if (Errors[0]) throw new Error(`S3 does not delete ${Errors[0].Key}: ${Errors[0].Code} ${Errors[0].Message}`);
  }
}

/** CopyObject takes 5 GB (GiB) at most; a part of a multipart copy as well. Source: Amazon S3, "Copying objects". */
const largestCopy = 5 * 1024 ** 3;
const partBytes = 512 * 1024 ** 2;

interface Copy {
  from: string;
  to: string;
  bytes: number;
  contentType: string;
  metadata: Record<string, string>;
}

/**
 * Copies within the bucket, on S3's side: a reader of `to` sees the old object or the whole new one.
 * @param largest bytes that are copied in one piece; larger ones in parts
 */
export async function copyObject(exports: ExportsBucket, copy: Copy, largest = largestCopy, part = partBytes): Promise<void> {
  if (copy.bytes > largest) return copyInParts(exports, copy, part);
  await exports.client.send(
    new CopyObjectCommand({
      Bucket: exports.bucket,
      Key: copy.to,
      CopySource: source(exports, copy),
      MetadataDirective: 'REPLACE',
      Metadata: copy.metadata,
      ContentType: copy.contentType,
    }),
  );
}

const source = ({ bucket }: ExportsBucket, { from }: Copy): string => `${bucket}/${from.split('/').map(encodeURIComponent).join('/')}`;

async function copyInParts(exports: ExportsBucket, copy: Copy, size: number): Promise<void> {
  const { client, bucket } = exports;
  const target = { Bucket: bucket, Key: copy.to };
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...target, Metadata: copy.metadata, ContentType: copy.contentType }),
  );
  try {
    const starts = Array.from({ length: Math.ceil(copy.bytes / size) }, (_, index) => index * size);
    const Parts = await inParallel(starts, async (start, index) => {
      const CopySourceRange = `bytes=${start}-${Math.min(start + size, copy.bytes) - 1}`;
      const PartNumber = index + 1;
      const { CopyPartResult } = await client.send(
        new UploadPartCopyCommand({ ...target, UploadId, PartNumber, CopySource: source(exports, copy), CopySourceRange }),
      );
      return { PartNumber, ETag: CopyPartResult!.ETag };
    });
    await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => {});
    throw error;
  }
}
