import zlib from 'node:zlib';
import { pageMemoryBytes, takePage } from './page-memory.js';

/** As many as there are threads that compress (libuv's default). */
const maxStreams = 4;
/**
 * log2 of the entries of the table in which zstd looks matches up: 16 KiB stay in the processor's nearest cache. Level 1 takes four times as
 * many, which makes text without repetition a fifth slower to compress, and frames 1 to 3 hundredths smaller.
 */
const hashLog = 12;

interface Job {
  bytes: Uint8Array;
  resolve(frame: Uint8Array): void;
  reject(error: Error): void;
}

const waiting: Job[] = [];
/** Streams are used again: to make one costs more than to compress a small page. */
const idle: zlib.ZstdCompress[] = [];
let streams = 0;

function createStream(): zlib.ZstdCompress {
  streams++;
  return zlib.createZstdCompress({
    flush: zlib.constants.ZSTD_e_end,
    chunkSize: pageMemoryBytes,
    // A frame is read when it is whole, however large.
    readableHighWaterMark: Number.MAX_SAFE_INTEGER,
    params: { [zlib.constants.ZSTD_c_compressionLevel]: 1, [zlib.constants.ZSTD_c_hashLog]: hashLog },
  } as zlib.ZstdOptions);
}

function next(): void {
  while (waiting.length > 0 && (idle.length > 0 || streams < maxStreams)) run(waiting.shift()!, idle.pop() ?? createStream());
}

function run({ bytes, resolve, reject }: Job, stream: zlib.ZstdCompress): void {
  const fail = (error: Error): void => {
    streams--;
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
    idle.push(stream);
    resolve(frame);
    next();
  });
}

/**
 * One frame by one call of zstd, level 1; whoever has read it gives it back by `releasePage`. `zlib.zstdCompress` makes two calls, one for the
 * bytes and one for their end, so that zstd must copy the bytes and search in two windows: a fifth more processor time.
 */
export function compressAtOnce(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    waiting.push({ bytes, resolve, reject });
    next();
  });
}
