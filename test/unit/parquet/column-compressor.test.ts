import { createHash, randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { expect, it } from 'vitest';
import { ColumnCompressor } from '../../../core/parquet/column-compressor.js';
import { releasePage } from '../../../core/parquet/page-memory.js';
import { compressAtOnce, type Search } from '../../../core/parquet/zstd.js';

const pageBytes = 200_000;
const words = ['carefully', 'final', 'requests', 'sleep', 'furiously', 'ironic', 'deposits', 'above', 'the', 'packages'];

const fill = (text: (i: number) => string): Buffer => {
  const texts: string[] = [];
  for (let length = 0; length < pageBytes; length += texts.at(-1)!.length) texts.push(text(texts.length));
  return Buffer.from(texts.join('')).subarray(0, pageBytes);
};
const random = (): number => randomBytes(4).readUInt32LE();
const pages = {
  digests: () => fill(() => createHash('md5').update(randomBytes(8)).digest('hex')),
  sentences: () => fill(() => `${words[random() % words.length]} `),
  'random bytes': () => randomBytes(pageBytes),
  'one value': () => fill(() => 'shipped '),
};

/** How each row group's pages were searched; of one that is written as it is: null. The frames hold the pages. */
async function searches(groups: Buffer[][]): Promise<(Search | null)[]> {
  let first: Search | undefined;
  const column = new ColumnCompressor((page, search) => {
    first ??= search;
    return compressAtOnce(page, search);
  });
  const found: (Search | null)[] = [];
  for (const group of groups) {
    first = undefined;
    const frames = await column.compress(group);
    if (frames !== null) expect(frames.map((frame, i) => zlib.zstdDecompressSync(frame).equals(group[i]!))).toEqual(group.map(() => true));
    found.push(frames === null ? null : first!);
  }
  return found;
}

it.each<[keyof typeof pages, (Search | null)[]]>([
  ['digests', ['thorough', 'quick', 'quick']],
  ['sentences', ['thorough', 'thorough', 'thorough']],
  ['random bytes', [null, null, null]],
  ['one value', ['thorough', 'thorough', 'thorough']],
])('repetition in %s is looked for where it pays', async (kind, expected) => {
  const groups = expected.map(() => [pages[kind]().subarray(0, 20_000), pages[kind](), pages[kind]()]);
  expect(await searches(groups)).toEqual(expected);
});

it.each<[keyof typeof pages, Search | null]>([
  ['digests', 'quick'],
  ['random bytes', null],
])('after %s repetition is looked for again, within 17 row groups', async (kind, resting) => {
  const groups = Array.from({ length: 19 }, (_, i) => [pages[i < 2 ? kind : 'sentences']()]);
  const found = await searches(groups);
  expect([found[1], found.at(-1)]).toEqual([resting, 'thorough']);
});

it('two connections that compress columns of one kind each get whole frames, in memory that is used again', async () => {
  const column = new ColumnCompressor(compressAtOnce);
  const connection = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const group = [pages[i % 20 < 10 ? 'digests' : 'sentences'](), pages.digests()];
      const frames = await column.compress(group);
      const found = frames?.map((frame) => zlib.zstdDecompressSync(frame));
      expect(found?.map((bytes, page) => bytes.equals(group[page]!))).toEqual([true, true]);
      frames?.forEach(releasePage);
    }
  };
  await Promise.all([connection(), connection()]);
});
