import type { Client } from 'pg';
import { FirnError } from '../../errors.js';
import { addressOf } from './connection.js';
import { asSourceError } from './errors.js';

/** Message types. Source: PostgreSQL documentation, "Message Formats". */
const copyData = 0x64;
const errorResponse = 0x45;
const copyDone = 0x63;
/** CopyOutResponse, NoticeResponse, ParameterStatus, NotificationResponse: nothing for us. */
const skipped = new Set([0x48, 0x4e, 0x53, 0x41]);

const messageHeader = 5;
/** Signature, flags and an empty extension: what precedes the first row. */
const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const fileHeader = signature.length + 8;

const initialBytes = 1 << 20;
/** Decoders copy text by words and may look this far behind its end. */
export const slackBytes = 64;
/** The socket is paused while this much waits to be decoded. */
const highWater = 4 << 20;

interface Socket {
  listeners(event: 'data'): ((chunk: Buffer) => void)[];
  on(event: 'data', listener: (chunk: Buffer) => void): void;
  removeListener(event: 'data', listener: (chunk: Buffer) => void): void;
  pause(): void;
  resume(): void;
}

/**
 * The rows of `COPY … TO STDOUT (FORMAT binary)`, as the server framed them: one CopyData message per row, several rows at a time in one
 * buffer. It takes the socket's bytes past pg's parser, which would make an object of each row, and gives the socket back at the end.
 *
 * The caller decodes `bytes[start, end)`, sets `start` to where it stopped, and calls `fill` for more. Chunks of the socket are queued and
 * moved into the buffer by `fill` alone, so nothing changes under a caller who waits for something else in between.
 */
export class CopyReader {
  bytes = new Uint8Array(initialBytes + slackBytes);
  view = new DataView(this.bytes.buffer);
  start = 0;
  end = 0;
  /** Rows that the server says it has sent. Known at the end. */
  rowCount = 0;

  #socket: Socket | null = null;
  #parse: ((chunk: Buffer) => void) | null = null;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #paused = false;
  #headerSeen = false;
  #done = false;
  #failure: FirnError | null = null;
  #wake: (() => void) | null = null;

  constructor(
    private readonly client: Client,
    private readonly text: string,
  ) {
    client.query(this as never);
  }

  /**
   * Waits until a whole row begins at `start`. False: there are no more rows.
   * @throws FirnError what the server or the network says
   */
  async fill(): Promise<boolean> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      if (this.#done) return false;
      this.#load();
      if (this.#rowAtStart()) return true;
      if (this.#failure !== null || this.#done || this.#queued > 0) continue;
      this.#resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Called by pg when the query's turn has come. */
  submit(connection: { stream: Socket; query(text: string): void }): void {
    this.#socket = connection.stream;
    this.#parse = this.#socket.listeners('data')[0]!;
    this.#socket.on('data', this.#receive);
    this.#socket.removeListener('data', this.#parse);
    connection.query(this.text);
  }

  /** Called by pg for an ErrorResponse, or when the connection breaks. */
  handleError(error: Error): void {
    this.#failure ??= asSourceError(error, addressOf(this.client));
    this.#notify();
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.rowCount = Number(/^COPY (\d+)/.exec(text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#done = true;
    this.#notify();
  }

  readonly #receive = (chunk: Buffer): void => {
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued >= highWater) {
      this.#paused = true;
      this.#socket?.pause();
    }
    this.#notify();
  };

  #notify(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  /** Moves the rest to the front of the buffer and queued bytes behind it. Grows the buffer to the size of the row that begins there. */
  #load(): void {
    const rest = this.end - this.start;
    const need = rest >= messageHeader ? 1 + this.view.getInt32(this.start + 1) : 0;
    const capacity = this.bytes.length - slackBytes;
    const wanted = Math.max(initialBytes, need, rest);
    if (wanted > capacity || capacity > 4 * wanted) {
      const old = this.bytes;
      this.bytes = new Uint8Array(wanted + slackBytes);
      this.view = new DataView(this.bytes.buffer);
      this.bytes.set(old.subarray(this.start, this.end));
    } else if (this.start > 0) this.bytes.copyWithin(0, this.start, this.end);
    this.start = 0;
    this.end = rest;
    this.#drain();
    if (this.#queued < highWater >> 1) this.#resume();
  }

  #drain(): void {
    const capacity = this.bytes.length - slackBytes;
    let taken = 0;
    for (; taken < this.#queue.length && this.end < capacity; taken++) {
      const chunk = this.#queue[taken]!;
      const count = Math.min(chunk.length, capacity - this.end);
      this.bytes.set(count === chunk.length ? chunk : chunk.subarray(0, count), this.end);
      this.end += count;
      this.#queued -= count;
      if (count < chunk.length) {
        this.#queue[taken] = chunk.subarray(count);
        break;
      }
    }
    this.#queue.splice(0, taken);
  }

  /** Passes over everything that is no row. */
  #rowAtStart(): boolean {
    while (this.#parse !== null && this.end - this.start >= messageHeader) {
      const type = this.bytes[this.start]!;
      if (type === errorResponse || type === copyDone) {
        this.#detach();
        return false;
      }
      const size = 1 + this.view.getInt32(this.start + 1);
      if (this.end - this.start < size) return false;
      if (type === copyData) {
        if (this.#headerSeen) return true;
        this.#skipFileHeader(size);
      } else if (skipped.has(type)) this.start += size;
      else throw new FirnError('Internal', `Unexpected message ${String.fromCharCode(type)} during COPY.`);
    }
    return false;
  }

  /** The header stands in the message of the first row: the message is made to begin behind it. */
  #skipFileHeader(size: number): void {
    const at = this.start + messageHeader;
    const { bytes, view } = this;
    if (signature.compare(bytes, at, at + signature.length) !== 0) throw new FirnError('Internal', 'The server does not send COPY BINARY.');
    const length = fileHeader + view.getInt32(at + signature.length + 4);
    this.start += length;
    bytes[this.start] = copyData;
    view.setInt32(this.start + 1, size - 1 - length);
    this.#headerSeen = true;
  }

  /** Gives the socket back to pg, with what was read but is not ours. */
  #detach(): void {
    const parse = this.#parse!;
    const socket = this.#socket!;
    this.#parse = null;
    const rest = [this.bytes.slice(this.start, this.end), ...this.#queue];
    this.start = this.end;
    this.#queue = [];
    this.#queued = 0;
    socket.on('data', parse);
    socket.removeListener('data', this.#receive);
    for (const chunk of rest) if (chunk.length > 0) parse(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    this.#resume();
  }
}
