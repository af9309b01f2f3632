import zlib from 'node:zlib';
import { pageMemoryBytes, takePage } from './page-memory.js';

/** As many as there are threads that compress (libuv's default). */
const maxRunning = 4;
/**
 * log2 of the entries of the table in which zstd looks repetition up: 16 KiB stay in the processor's nearest cache. Level 1 takes four times as
 * many, which makes text without repetition a fifth slower to compress, and frames 1 to 3 hundredths smaller.
 */
const hashLog = { thorough: 12, quick: 6 };

/** `quick`: hardly any repetition is looked for. Digests take four tenths less time; frames of TPC-H's comments are 1.6 times as large. */
export type Search = keyof typeof hashLog;

interface Job {
  bytes: Uint8Array;
  search: Search;
  resolve(frame: Uint8Array): void;
  reject(error: Error): void;
}

const waiting: Job[] = [];
/** Streams are used again: to make one costs more than to compress a small page. */
const idle: Record<Search, zlib.ZstdCompress[]> = { thorough: [], quick: [] };
let running = 0;

function createStream(search: Search): zlib.ZstdCompress {
  return zlib.createZstdCompress({
    flush: zlib.constants.ZSTD_e_end,
    chunkSize: pageMemoryBytes,
    // A frame is read when it is whole, however large.
    readableHighWaterMark: Number.MAX_SAFE_INTEGER,
    params: { [zlib.constants.ZSTD_c_compressionLevel]: 1, [zlib.constants.ZSTD_c_hashLog]: hashLog[search] },
  } as zlib.ZstdOptions);
}

function next(): void {
  while (waiting.length > 0 && running < maxRunning) run(waiting.shift()!);
}

function run({ bytes, search, resolve, reject }: Job): void {
  const stream = idle[search].pop() ?? createStream(search);
  running++;
  const fail = (error: Error): void => {
    running--;
    reject(error);
    next();
  };
  stream.once('error', fail);
  // Where a stream of Node writes next. Left alone it goes on behind its last frame: where the next one has not surely room, zstd takes a
  // slower way, and what is full becomes garbage. Were these renamed, frames would be made as before.
  Object.assign(stream, { _outBuffer: Buffer.from(takePage(pageMemoryBytes).buffer), _outOffset: 0 });
  stream.write(bytes, (error) => {
    if (error) return;
    stream.removeListener('error', fail);
    const frame: Uint8Array = stream.read();
    idle[search].push(stream);
    running--;
    resolve(frame);
    next();
  });
}

/**
 * One frame by one call of zstd, level 1; whoever has read it gives it back by `releasePage`. `zlib.zstdCompress` makes two calls, one for the
 * bytes and one for their end, so that zstd must copy the bytes and search in two windows: a fifth more processor time.
 */
export function compressAtOnce(bytes: Uint8Array, search: Search): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    waiting.push({ bytes, search, resolve, reject });
    next();
  });
}
