import zlib from 'node:zlib';

/** As many as there are threads that compress (libuv's default). */
const maxStreams = 4;
/** What a stream allocates at once for its output: a page that does not compress, and the frames of others. */
const outputBytes = 2 << 20;

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
    chunkSize: outputBytes,
    // A frame is read when it is whole, however large.
    readableHighWaterMark: Number.MAX_SAFE_INTEGER,
    params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 },
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
 * One frame by one call of zstd, level 1. `zlib.zstdCompress` makes two, one for the bytes and one for their end, so that zstd must copy the
 * bytes and search in two windows: a fifth more processor time.
 */
export function compressAtOnce(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    waiting.push({ bytes, resolve, reject });
    next();
  });
}
