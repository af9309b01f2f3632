import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import { FirnError } from '../../errors.js';
import { ReadSocket } from '../read-socket.js';
import { addressOf } from './connection.js';
import type { CopiedRows } from './copied-rows.js';
import { asSourceError } from './errors.js';

/** Message types. Source: PostgreSQL documentation, "Message Formats". */
const copyData = 0x64;
const errorResponse = 0x45;
const copyDone = 0x63;
const copyOutResponse = 0x48;
/** And NoticeResponse, ParameterStatus, NotificationResponse: nothing for us. */
const skipped = new Set([copyOutResponse, 0x4e, 0x53, 0x41]);

const messageHeader = 5;
/** Signature, flags and an empty extension: what precedes the first row. */
const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const fileHeader = signature.length + 8;

/** A socket that emits its bytes is paused while this much waits to be taken. */
const highWater = 4 << 20;
/**
 * After a smaller read the reader waits a moment, while the kernel collects: a server sends 8 KiB at a time, and waking up for each would
 * cost more than all decoding.
 */
const smallRead = 128 << 10;
const collectMs = 1;

interface Socket {
  listeners(event: 'data'): ((chunk: Buffer) => void)[];
  on(event: 'data', listener: (chunk: Buffer) => void): void;
  removeListener(event: 'data', listener: (chunk: Buffer) => void): void;
  pause(): void;
  resume(): void;
}

/**
 * The bytes of `COPY … TO STDOUT (FORMAT binary)`, as the server framed them: one CopyData message per row. It takes them past pg's parser,
 * which would make an object of each row, and gives the socket back at the end.
 *
 * Chunks of the socket are queued and moved by `read` alone, so nothing changes under a caller who waits for something else in between.
 */
export class CopyReader {
  /** Rows that the server says it has sent. Known at the end. */
  rowCount = 0;

  #socket: Socket | null = null;
  #parse: ((chunk: Buffer) => void) | null = null;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #paused = false;
  #lastRead = highWater;
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
   * Waits for bytes, appends them to the rows and scans these, whose whole rows must have been scanned before. Returns at once when the rows
   * are full. False: there are no more.
   * @throws FirnError what the server or the network says
   */
  async read(rows: CopiedRows): Promise<boolean> {
    for (;;) {
      this.#passOver(rows);
      if (this.#failure !== null) throw this.#failure;
      if (this.#done) return false;
      // By rows behind a notice: nothing more may come.
      if (rows.full) return true;
      if (this.#queued > 0) {
        this.#move(rows);
        this.#passOver(rows);
        if (this.#headerSeen) rows.scan();
        return true;
      }
      if (this.#paused && this.#lastRead < smallRead) await pause(collectMs);
      this.#resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // It may have come during the pause.
        if (this.#queued > 0 || this.#done || this.#failure !== null) this.#notify();
      });
    }
  }

  /** Called by pg when the query's turn has come. */
  submit(connection: { stream: Socket; query(text: string): void }): void {
    const socket = connection.stream;
    this.#socket = socket;
    this.#parse = socket.listeners('data')[0]!;
    if (socket instanceof ReadSocket) socket.receiver = (bytes) => this.#receive(bytes, 1);
    else {
      socket.on('data', this.#listener);
      socket.removeListener('data', this.#parse);
    }
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

  readonly #listener = (chunk: Buffer): void => {
    if (!this.#receive(chunk, highWater)) this.#socket?.pause();
  };

  /** False: enough. */
  #receive(chunk: Uint8Array, enough: number): boolean {
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    this.#paused = this.#queued >= enough;
    this.#notify();
    return !this.#paused;
  }

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

  /** As much of the queue as there is room for. The socket goes on only when the queue is empty: a chunk may be its own memory. */
  #move(rows: CopiedRows): void {
    this.#lastRead = this.#queued;
    while (this.#queue.length > 0 && !rows.full) {
      const chunk = this.#queue[0]!;
      const count = rows.append(chunk);
      this.#queued -= count;
      if (count < chunk.length) {
        this.#queue[0] = chunk.subarray(count);
        break;
      }
      this.#queue.shift();
    }
  }

  /** Passes over everything that is no row. */
  #passOver(rows: CopiedRows): void {
    while (this.#parse !== null) {
      const { rest } = rows;
      if (rest.length < messageHeader) return;
      const type = rest[0]!;
      if (type === errorResponse || type === copyDone) {
        this.#detach(rows);
        return;
      }
      const view = new DataView(rest.buffer, rest.byteOffset);
      const size = 1 + view.getInt32(1);
      if (rest.length < size) return;
      if (type === copyData) {
        if (this.#headerSeen) return;
        rows.position += skipFileHeader(rest, view, size);
        this.#headerSeen = true;
        rows.scan();
      } else if (skipped.has(type)) {
        rows.position += size;
        if (this.#headerSeen) rows.scan();
      } else throw new FirnError('Internal', `Unexpected message ${String.fromCharCode(type)} during COPY.`);
    }
  }

  /** Gives the socket back to pg, with what was read but is not ours. */
  #detach(rows: CopiedRows): void {
    const parse = this.#parse!;
    const socket = this.#socket!;
    this.#parse = null;
    const rest = [rows.rest, ...this.#queue].map((chunk) => Buffer.from(chunk));
    rows.end = rows.position;
    this.#queue = [];
    this.#queued = 0;
    if (socket instanceof ReadSocket) socket.receiver = null;
    else {
      socket.on('data', parse);
      socket.removeListener('data', this.#listener);
    }
    for (const chunk of rest) if (chunk.length > 0) parse(chunk);
    this.#resume();
  }
}

/**
 * The header stands in the message of the first row: the message is made to begin behind it. Answers by how much. What is before it becomes
 * a message of its own that is no row.
 */
function skipFileHeader(rest: Uint8Array, view: DataView, size: number): number {
  const found = rest.subarray(messageHeader, messageHeader + signature.length);
  if (signature.compare(found) !== 0) throw new FirnError('Internal', 'The server does not send COPY BINARY.');
  const length = fileHeader + view.getInt32(messageHeader + signature.length + 4);
  rest[length] = copyData;
  view.setInt32(length + 1, size - 1 - length);
  rest[0] = copyOutResponse;
  view.setInt32(1, length - 1);
  return length;
}
