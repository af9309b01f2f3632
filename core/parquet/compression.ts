import { createRequire } from 'node:module';
import zlib from 'node:zlib';
import { compressAtOnce, type Search } from './zstd.js';

export type Codec = 'zstd' | 'snappy' | 'none';

/** Numbers of the codecs. Source: parquet-format, parquet.thrift, `CompressionCodec`. */
export const codecNumber: Record<Codec, number> = { none: 0, snappy: 1, zstd: 6 };

/** Off the main thread, so that reading goes on. */
export type Compress = (bytes: Uint8Array, search: Search) => Promise<Uint8Array>;

function zstd(): Compress {
  if (typeof zlib.createZstdCompress !== 'function') {
    throw new Error(`zstd needs Node 22.15 or newer, this is ${process.version}: choose the codec snappy or none`);
  }
  return compressAtOnce;
}

function snappy(): Compress {
  // Loaded when asked for: the native addon is not part of the Lambda bundles, which write zstd.
  const { compress } = createRequire(import.meta.url)('snappy') as { compress(bytes: Uint8Array): Promise<Uint8Array> };
  return (bytes) => compress(bytes);
}

/** Null: pages are written as they are. */
export function compressor(codec: Codec): Compress | null {
  if (codec === 'zstd') return zstd();
  return codec === 'snappy' ? snappy() : null;
}
