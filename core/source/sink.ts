import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import path from 'node:path';

/** Where one file goes. Nobody sees the file before `close` has resolved. */
export interface FileSink {
  /** Key or name of the file. */
  readonly name: string;
  /** Resolves when the sink can take more: the sender waits for it. The bytes are the sink's until then, and the sender's again afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the file whole and visible; one on S3 is durable then. */
  close(): Promise<void>;
  /** Leaves nothing behind. Never throws. */
  abort(): Promise<void>;
}

const bufferBytes = 1 << 20;

/** A file of a local folder, which is made when missing. An existing file is never overwritten. */
export async function openLocalFile(folder: string, name: string): Promise<FileSink> {
  await mkdir(folder, { recursive: true });
  const target = path.join(folder, name);
  return new LocalFile(name, target, await open(target, 'wx'));
}

class LocalFile implements FileSink {
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #length = 0;

  constructor(
    readonly name: string,
    private readonly target: string,
    private readonly handle: FileHandle,
  ) {}

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#length + bytes.length > bufferBytes) await this.#flush();
    if (bytes.length >= bufferBytes) return this.handle.writeFile(bytes);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  async close(): Promise<void> {
    await this.#flush();
    // Not synced, as no tool does that writes such files: the sync of 128 MiB would hold up the next row groups.
    await this.handle.close();
  }

  async abort(): Promise<void> {
    await this.handle.close().catch(() => {});
    await unlink(this.target).catch(() => {});
  }

  async #flush(): Promise<void> {
    // writeFile on a handle writes at its position and goes on until all is written.
    if (this.#length > 0) await this.handle.writeFile(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }
}
