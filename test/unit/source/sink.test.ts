import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FileSeries } from '../../../core/parquet/file-series.js';
import { Batch, growVector } from '../../../core/parquet/vector.js';
import { type FileSink, openLocalFile } from '../../../core/source/sink.js';
import { openS3File } from '../../../core/source/sink-s3.js';
import { type LocalAws, startLocalAws } from '../state/local-aws.js';
import { newFolder, removeFolders } from './extracting.js';

let aws: LocalAws;
let s3: S3Client;
beforeAll(async () => {
  aws = await startLocalAws();
  s3 = new S3Client({ forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'raw' }));
}, 60_000);
afterEach(removeFolders);
afterAll(() => aws.stop());

/** Writes pieces of these sizes, from one buffer that is overwritten after each. Answers what should have arrived. */
async function writeAll(sink: FileSink, sizes: number[]): Promise<Buffer> {
  const sent: Buffer[] = [];
  const piece = Buffer.alloc(Math.max(1, ...sizes));
  for (const [i, size] of sizes.entries()) {
    const bytes = piece.subarray(0, size).fill(i + 1);
    sent.push(Buffer.from(bytes));
    await sink.write(bytes);
    piece.fill(0);
  }
  return Buffer.concat(sent);
}

async function object(key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'raw', Key: key }));
  return Buffer.from(await Body!.transformToByteArray());
}

const mebibyte = 1 << 20;

describe('a file of a folder', () => {
  it('holds what was written, in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat(2000), fc.constantFrom(mebibyte, 3 * mebibyte, mebibyte - 1)), { maxLength: 6 }),
        async (sizes) => {
          const folder = path.join(newFolder(), 'made');
          const sink = await openLocalFile(folder, 'a.parquet');
          const sent = await writeAll(sink, sizes);
          await sink.close();
          expect(readFileSync(path.join(folder, 'a.parquet')).equals(sent)).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is never overwritten, and gone when aborted', async () => {
    const folder = newFolder();
    const sink = await openLocalFile(folder, 'a.parquet');
    await expect(openLocalFile(folder, 'a.parquet')).rejects.toMatchObject({ code: 'EEXIST' });
    await sink.abort();
    expect(existsSync(path.join(folder, 'a.parquet'))).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('an object on S3', () => {
  it.each([
    ['small', [100, 5]],
    ['of exactly one part', [8 * mebibyte]],
    ['of several parts', [5 * mebibyte, 5 * mebibyte, 17 * mebibyte, 1]],
    ['empty', []],
  ])('%s holds what was written', async (name, sizes) => {
    const sink = openS3File(s3, 'raw', `a/${name}.parquet`);
    const sent = await writeAll(sink, sizes);
    await sink.close();
    expect((await object(sink.name)).equals(sent)).toBe(true);
  });

  it.each([
    ['small', 10],
    ['large', 9 * mebibyte],
  ])('%s is never overwritten', async (name, size) => {
    const write = async (fill: number): Promise<void> => {
      const sink = openS3File(s3, 'raw', `once/${name}`);
      await sink.write(Buffer.alloc(size, fill));
      await sink.close().catch(async (error: unknown) => {
        await sink.abort();
        throw error;
      });
    };
    await write(1);
    await expect(write(2)).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect((await object(`once/${name}`))[0]).toBe(1);
  });

  it('leaves nothing when aborted', async () => {
    const sink = openS3File(s3, 'raw', 'aborted/a.parquet');
    await sink.write(Buffer.alloc(20 * mebibyte));
    await sink.abort();
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'raw' }));
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: 'raw', Prefix: 'aborted/' }));
    expect({ uploads: Uploads.filter(({ Key }) => Key === sink.name), KeyCount }).toEqual({ uploads: [], KeyCount: 0 });
  });

  it('begins no upload when it was aborted before, by whoever still writes', async () => {
    const sink = openS3File(s3, 'raw', 'late/a.parquet');
    await writeAll(sink, [mebibyte]);
    await sink.abort();
    await expect(writeAll(sink, [8 * mebibyte])).rejects.toMatchObject({ name: 'AbortError' });
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'raw', Prefix: 'late/' }));
    expect(Uploads).toEqual([]);
  });

  it('ends its requests when aborted, and the upload at a server that goes on answering other requests', async () => {
    const asked: string[] = [];
    const silent = createServer(({ method, url = '' }, response) => {
      asked.push(`${method} ${new URL(url, 'http://s3').searchParams.has('partNumber') ? 'part' : 'upload'}`);
      if (method === 'POST') response.end('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>');
      if (method === 'DELETE') response.writeHead(204).end();
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const format = { columns: [{ name: 'A', type: { kind: 'binary' } as const }], constants: {}, codec: 'none' as const, metadata: {} };
    const client = new S3Client({ forcePathStyle: true, endpoint });
    const open = async (): Promise<FileSink> => openS3File(client, 'raw', 'a.parquet');
    const series = new FileSeries(format, 1 << 30, open, () => new Batch([{ kind: 'binary' }], 64 << 20));
    const batch = series.createBatch();
    const vector = batch.vectors[0]!;
    growVector(vector, 48 << 20);
    vector.view.setInt32(0, (48 << 20) - 4, true);
    Object.assign(vector, { count: 1, length: 48 << 20 });
    batch.rows = 1;
    await series.push(batch);
    await expect.poll(() => asked, { timeout: 20_000 }).toContain('PUT part');
    await series.abort();
    expect(asked.filter((one) => one === 'DELETE upload')).toHaveLength(1);
    silent.closeAllConnections();
    silent.close();
  });

  it('tells that an upload failed', async () => {
    const sink = openS3File(s3, 'no-such-bucket', 'a.parquet');
    await expect(sink.write(Buffer.alloc(9 * mebibyte))).rejects.toMatchObject({ name: 'NoSuchBucket' });
    await sink.abort();
  });
});
