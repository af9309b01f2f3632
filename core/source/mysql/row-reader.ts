import { setTimeout as pause } from 'node:timers/promises';
import { FirnError } from '../../errors.js';
import { ReadSocket } from '../read-socket.js';
import type { Session } from './connection.js';
import { fullPacket, packetHeader } from './decoder.js';
import { asSourceError } from './errors.js';

const rowMarker = 0x00;
const errorMarker = 0xff;
const executeStatement = 0x17;
/** From the end of a column's definition: type, and the bytes before it. */
const typeFromEnd = 6;

const initialBytes = 1 << 20;
/** Decoders copy text by words and may look this far behind its end. */
export const slackBytes = 64;
/** A socket that gives its bytes away is paused while this much waits to be decoded. */
const highWater = 4 << 20;
/** After a smaller read the reader waits a moment, while the kernel collects: waking up for each packet would cost more than decoding it. */
const smallRead = 128 << 10;
const collectMs = 1;

/** The parts of mysql2's connection that are used past its interface. */
interface Wire {
  stream: { pause(): void; resume(): void };
  packetParser: { execute(chunk: Buffer): void };
  addCommand(command: object): void;
  /** Without a packet: runs the command at hand again, and the next one when it is done. */
  handlePacket(): void;
  write(packet: Buffer): void;
  _resetSequenceId(): void;
}

/** What `connection.prepare` answers. */
export interface Statement {
  id: number;
}

type Stage = 'count' | 'columns' | 'end of columns' | 'rows';

/**
 * The rows of a prepared statement as the server framed them, several at a time in one buffer. It takes the socket's bytes past mysql2's
 * parser, which would make objects of each row, and gives the socket back at the end.
 *
 * The caller decodes `bytes[start, end)`, sets `start` to where it stopped, and calls `fill` for more. Chunks of the socket are queued and
 * moved into the buffer by `fill` alone, so nothing changes under a caller who waits for something else in between.
 */
export class RowReader {
  bytes = new Uint8Array(initialBytes + slackBytes);
  view = new DataView(this.bytes.buffer);
  start = 0;
  end = 0;
  /** Size of the row at `start` when it came in several packets, which are joined; else 0. */
  size = 0;
  /** Type of each column, once `fill` has answered for the first time. */
  readonly types: number[] = [];

  readonly #wire: Wire;
  readonly #parser: Wire['packetParser'];
  #stage: Stage = 'count';
  #columns = 0;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #paused = false;
  #lastRead = highWater;
  #done = false;
  #failure: FirnError | null = null;
  #wake: (() => void) | null = null;

  constructor(
    private readonly session: Session,
    private readonly statement: Statement,
  ) {
    this.#wire = (session.connection as unknown as { connection: Wire }).connection;
    this.#parser = this.#wire.packetParser;
    this.#wire.addCommand(this);
  }

  /** Called by mysql2 when the command's turn has come, and by `#detach`. True: the command is done. */
  execute(): boolean {
    if (this.#done) return true;
    const packet = Buffer.alloc(packetHeader + 10);
    packet.writeUIntLE(10, 0, 3);
    packet[packetHeader] = executeStatement;
    packet.writeUInt32LE(this.statement.id, packetHeader + 1);
    // No cursor: the server sends all rows at once. Byte 5 stays 0; then the iteration count, always 1.
    packet.writeUInt32LE(1, packetHeader + 6);
    this.#wire._resetSequenceId();
    const { stream } = this.#wire;
    if (stream instanceof ReadSocket) stream.receiver = this.#receiveShared;
    else this.#wire.packetParser = { execute: this.#receive };
    this.#wire.write(packet);
    return false;
  }

  /** Called by mysql2 when the connection breaks. */
  onResult(error: Error): void {
    this.#failure ??= asSourceError(error, this.session.secret);
    this.#notify();
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
      if (this.#paused && this.#lastRead < smallRead) await pause(collectMs);
      this.#resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // It may have come during the pause.
        if (this.#queued > 0 || this.#done || this.#failure !== null) this.#notify();
      });
    }
  }

  /** The chunk is the socket's own memory until it goes on. */
  readonly #receiveShared = (chunk: Uint8Array): boolean => {
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    this.#lastRead = chunk.length;
    this.#paused = true;
    this.#notify();
    return false;
  };

  readonly #receive = (chunk: Buffer): void => {
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued >= highWater) {
      this.#paused = true;
      this.#wire.stream.pause();
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
    this.#wire.stream.resume();
  }

  /** Moves the rest to the front of the buffer and queued bytes behind it. Grows the buffer to the size of the row that begins there. */
  #load(): void {
    const rest = this.end - this.start;
    const capacity = this.bytes.length - slackBytes;
    const wanted = Math.max(initialBytes, this.#need(rest));
    if (wanted > capacity || capacity > 4 * wanted) {
      const old = this.bytes;
      this.bytes = new Uint8Array(wanted + slackBytes);
      this.view = new DataView(this.bytes.buffer);
      this.bytes.set(old.subarray(this.start, this.end));
    } else if (this.start > 0) this.bytes.copyWithin(0, this.start, this.end);
    this.start = 0;
    this.end = rest;
    this.#drain();
    if (!(this.#wire.stream instanceof ReadSocket) && this.#queued < highWater >> 1) this.#resume();
  }

  /** Bytes until the end of the last packet that is known to belong to the row at `start`. */
  #need(rest: number): number {
    let need = 0;
    while (rest >= need + packetHeader) {
      const length = this.#length(this.start + need);
      need += packetHeader + length;
      if (length !== fullPacket) return Math.max(need, rest);
      // The header of the packet that continues it.
      if (rest < need + packetHeader) return need + packetHeader;
    }
    return Math.max(need, rest);
  }

  #length(at: number): number {
    return this.bytes[at]! | (this.bytes[at + 1]! << 8) | (this.bytes[at + 2]! << 16);
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

  /** Takes what comes before the rows, and the end. */
  #rowAtStart(): boolean {
    this.size = 0;
    while (!this.#done && this.#failure === null && this.end - this.start >= packetHeader) {
      const length = this.#length(this.start);
      const payload = this.start + packetHeader;
      if (length === fullPacket) return this.#join();
      if (this.end - payload < length) return false;
      if (this.bytes[payload] === errorMarker && this.#stage !== 'columns') this.#fail(payload, length);
      else if (this.#stage === 'rows') {
        if (this.bytes[payload] === rowMarker) return true;
        this.#detach(payload + length);
      } else this.#take(payload, length);
    }
    return false;
  }

  #take(payload: number, length: number): void {
    this.start = payload + length;
    if (this.#stage === 'count') {
      const first = this.bytes[payload]!;
      this.#columns = first === 0xfc ? this.view.getUint16(payload + 1, true) : first;
      this.#stage = 'columns';
    } else if (this.#stage === 'columns') {
      this.types.push(this.bytes[payload + length - typeFromEnd]!);
      if (this.types.length === this.#columns) this.#stage = 'end of columns';
    } else this.#stage = 'rows';
  }

  /** Joins the packets of a row that fills one, when all are there. */
  #join(): boolean {
    const sizes: number[] = [];
    let at = this.start;
    do {
      if (this.end - at < packetHeader) return false;
      const length = this.#length(at);
      if (this.end - at - packetHeader < length) return false;
      sizes.push(length);
      at += packetHeader + length;
    } while (sizes.at(-1) === fullPacket);
    // From the last packet on, each moves towards the end over the header between.
    let target = at;
    let from = at;
    for (const length of sizes.toReversed()) {
      from -= length;
      target -= length;
      this.bytes.copyWithin(target, from, from + length);
      from -= packetHeader;
    }
    this.start = target - packetHeader;
    this.size = at - target;
    return true;
  }

  /** Source: MySQL documentation, "ERR_Packet". */
  #fail(payload: number, length: number): void {
    const errno = this.view.getUint16(payload + 1, true);
    const from = this.bytes[payload + 3] === 0x23 ? payload + 9 : payload + 3;
    const message = Buffer.from(this.bytes.subarray(from, payload + length)).toString('utf8');
    this.#failure = asSourceError(Object.assign(new Error(message), { errno }), this.session.secret);
    this.#detach(payload + length);
  }

  /** Gives the socket back to mysql2. */
  #detach(end: number): void {
    if (end !== this.end || this.#queued > 0) {
      this.#failure ??= new FirnError('Internal', 'The server went on after the last row.');
    }
    this.start = this.end;
    this.#done = true;
    const { stream } = this.#wire;
    if (stream instanceof ReadSocket) stream.receiver = null;
    this.#wire.packetParser = this.#parser;
    this.#resume();
    this.#wire.handlePacket();
  }
}
