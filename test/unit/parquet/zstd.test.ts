import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { expect, it } from 'vitest';
import { pageMemoryBytes, releasePage } from '../../../core/parquet/page-memory.js';
import { compressAtOnce } from '../../../core/parquet/zstd.js';

it('pages of any size, handed over at once, each become the one frame of their own bytes, however they are searched', async () => {
  const pages = Array.from({ length: 40 }, (_, i) => {
    // Larger than what a stream allocates for its output, of no bytes, without and with repetition.
    if (i % 10 === 0) return randomBytes(5_000_000 + i);
    return i % 3 === 0 ? randomBytes(i * 30_000) : Buffer.alloc((i - 1) * 30_000, `page ${i}`);
  });
  const frames = await Promise.all(pages.map((page, i) => compressAtOnce(page, i % 2 === 0 ? 'thorough' : 'quick')));
  expect(frames.map((frame, i) => zlib.zstdDecompressSync(frame).equals(pages[i]!))).toEqual(pages.map(() => true));
});

it('a frame takes the memory of one that was given back, and none is taken twice', async () => {
  const pages = Array.from({ length: 20 }, (_, i) => randomBytes(700_000 + i));
  const first = await Promise.all(pages.map((page) => compressAtOnce(page, 'thorough')));
  expect(first.map(({ buffer }) => buffer.byteLength)).toEqual(pages.map(() => pageMemoryBytes));
  expect(new Set(first.map(({ buffer }) => buffer)).size).toBe(pages.length);
  const memory = first[7]!.buffer;
  releasePage(first[7]!);
  expect((await compressAtOnce(pages[0]!, 'thorough')).buffer === memory).toBe(true);
  expect(first.map((frame, i) => i === 7 || zlib.zstdDecompressSync(frame).equals(pages[i]!))).toEqual(pages.map(() => true));
});
