import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { failpoint } from '../failpoints.js';
import type { FileSink } from './sink.js';

const partBytes = 8 << 20;
/** Parts under way at once. Memory: this many parts and the one being filled. */
const inFlight = 2;
/** What is not ended by then is ended by the bucket, after a day. */
const abortMilliseconds = 5000;

/**
 * An object on S3: one PUT when it fits into a part, else a multipart upload of 8 MiB parts (10,000 at most: 78 GiB).
 * Completes with `If-None-Match: *`, so an existing object is never overwritten: then `close` throws S3's PreconditionFailed.
 * `signal` ends the requests under way, so that nobody waits for an S3 that does not answer.
 */
export function openS3File(client: S3Client, bucket: string, key: string, signal?: AbortSignal): FileSink {
  return new S3File(client, { Bucket: bucket, Key: key }, signal);
}

class S3File implements FileSink {
  readonly name: string;
  #part = Buffer.allocUnsafeSlow(partBytes);
  #length = 0;
  /** Its number, from when it is asked for. */
  #upload: Promise<string> | undefined;
  readonly #parts: Promise<CompletedPart>[] = [];
  readonly #cancel = new AbortController();
  /** Of the request for an upload, which is answered if at all possible: else nobody could end the upload. */
  readonly #cancelUpload = new AbortController();
  readonly #signal: AbortSignal;
  readonly #uploadSignal: AbortSignal;

  constructor(
    private readonly client: S3Client,
    private readonly target: { Bucket: string; Key: string },
    signal?: AbortSignal,
  ) {
    this.name = target.Key;
    const ends = signal ? [signal] : [];
    this.#signal = AbortSignal.any([this.#cancel.signal, ...ends]);
    this.#uploadSignal = AbortSignal.any([this.#cancelUpload.signal, ...ends]);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const count = Math.min(partBytes - this.#length, bytes.length - from);
      this.#part.set(bytes.subarray(from, from + count), this.#length);
      this.#length += count;
      from += count;
      if (this.#length === partBytes) await this.#sendPart();
    }
  }

  async close(): Promise<void> {
    if (this.#upload === undefined) {
      const Body = this.#part.subarray(0, this.#length);
      await once(this.client.send(new PutObjectCommand({ ...this.target, Body, IfNoneMatch: '*' }), { abortSignal: this.#signal }));
      return;
    }
    if (this.#length > 0) await this.#sendPart();
    const Parts = await Promise.all(this.#parts);
    const complete = { ...this.target, UploadId: await this.#upload, MultipartUpload: { Parts }, IfNoneMatch: '*' };
    await once(this.client.send(new CompleteMultipartUploadCommand(complete), { abortSignal: this.#signal }));
  }

  async abort(): Promise<void> {
    this.#cancel.abort();
    const late = setTimeout(() => this.#cancelUpload.abort(), abortMilliseconds);
    await Promise.allSettled(this.#parts);
    const UploadId = await this.#upload?.catch(() => undefined);
    clearTimeout(late);
    if (UploadId === undefined) return;
    const abortion = new AbortMultipartUploadCommand({ ...this.target, UploadId });
    await this.client.send(abortion, { abortSignal: AbortSignal.timeout(abortMilliseconds) }).catch(() => {});
  }

  async #sendPart(): Promise<void> {
    // Who still writes while the file is aborted would begin an upload that nobody ends.
    this.#cancel.signal.throwIfAborted();
    this.#upload ??= this.#createUpload();
    const UploadId = await this.#upload;
    const PartNumber = this.#parts.length + 1;
    const Body = this.#part.subarray(0, this.#length);
    const sent = this.client
      .send(new UploadPartCommand({ ...this.target, UploadId, PartNumber, Body }), { abortSignal: this.#signal })
      .then(({ ETag }) => ({ ETag, PartNumber }));
    // Awaited below or in close(); until then a failure must not count as unhandled.
    sent.catch(() => {});
    this.#parts.push(sent);
    this.#part = Buffer.allocUnsafeSlow(partBytes);
    this.#length = 0;
    const oldest = this.#parts[this.#parts.length - inFlight];
    if (oldest !== undefined) await oldest;
    await failpoint('upload_part_sent');
  }

  async #createUpload(): Promise<string> {
    const created = await this.client.send(new CreateMultipartUploadCommand(this.target), { abortSignal: this.#uploadSignal });
    return created.UploadId!;
  }
}

/**
 * A request that makes the object, whose answer may be lost: then the SDK sends it again, and meets the object that it has made itself, since
 * nobody else writes under this name.
 */
async function once(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    const { name, $metadata } = error as { name?: string; $metadata?: { attempts?: number } };
    const isRepeated = ($metadata?.attempts ?? 1) > 1;
    if (!(isRepeated && (name === 'PreconditionFailed' || name === 'NoSuchUpload'))) throw error;
  }
}
