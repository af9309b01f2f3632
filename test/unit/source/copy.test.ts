import { once } from 'node:events';
import net from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../../core/source/postgres/connection.js';
import { CopiedRows } from '../../../core/source/postgres/copied-rows.js';
import { CopyReader } from '../../../core/source/postgres/copy.js';
import { TableDecoder } from '../../../core/source/postgres/decoder.js';
import { secretFor } from './extracting.js';

/** A server that speaks as much of the protocol as a COPY needs, since a real one cannot be told where to cut its messages. */
let server: net.Server;
let pieces: Buffer[] = [];

const message = (type: string, body: Buffer | string): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(4 + Buffer.byteLength(body), 1);
  return Buffer.concat([head, Buffer.from(body)]);
};

const ready = message('Z', 'I');

beforeAll(async () => {
  server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(Buffer.concat([message('R', Buffer.alloc(4)), ready]));
      socket.on('data', (asked) => {
        if (asked[0] === 0x51) void send(socket);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

async function send(socket: net.Socket): Promise<void> {
  for (const piece of pieces) {
    if (!socket.write(piece)) await once(socket, 'drain');
    await turn();
  }
}

/** A row of one text, or a notice. */
function rowMessage(text: string): Buffer {
  const value = Buffer.from(text);
  const body = Buffer.alloc(6);
  body.writeInt16BE(1);
  body.writeInt32BE(value.length, 2);
  return message('d', Buffer.concat([body, value]));
}

function stream(texts: string[], notices: Set<number>): Buffer {
  const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
  const rows = texts.map(rowMessage);
  // The header stands in the first row's message, or in that of the end.
  const end = message('d', Buffer.from([0xff, 0xff]));
  const first = rows.shift() ?? end;
  const begin = message('d', Buffer.concat([header, first.subarray(5)]));
  const parts = [begin, ...rows.flatMap((row, i) => (notices.has(i) ? [message('N', 'SNOTICE\0\0'), row] : [row]))];
  if (first !== end) parts.push(end);
  const tail = [message('c', ''), message('C', `COPY ${texts.length}\0`), ready];
  return Buffer.concat([message('H', Buffer.from([1, 0, 1, 0, 1])), ...parts, ...tail]);
}

function cut(bytes: Buffer, at: number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % bytes.length))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length)).filter((piece) => piece.length > 0);
}

/** Reads as the extraction does, into groups of `limit` bytes; answers every text. */
async function readTexts(limit: number): Promise<string[]> {
  const { port } = server.address() as net.AddressInfo;
  const client = await connect(secretFor(port));
  const decoder = new TableDecoder([{ type: { kind: 'string' }, decoder: { kind: 'bytes' } }], () => 'null');
  const found: string[] = [];
  const take = (group: CopiedRows): void => {
    const { kernels } = decoder;
    const column = group.columns[0]!;
    if (column.numbered) kernels.run.leaveTexts(column.dictionary, column.values, column.count);
    for (let i = 0; i < column.count; i++) {
      const field = kernels.view.getUint32(column.values + 4 * i, true);
      found.push(Buffer.from(kernels.bytes.subarray(field + 4, field + 4 + kernels.view.getInt32(field))).toString());
    }
  };
  try {
    let group = new CopiedRows(decoder.kernels, decoder, limit, 'public.t');
    let spare = new CopiedRows(decoder.kernels, decoder, limit, 'public.t');
    const reader = new CopyReader(client, 'COPY');
    while (await reader.read(group)) {
      // Bytes come while nobody waits for them, as when a sink is slow.
      for (let i = 0; i < 3; i++) await turn();
      while (group.full) {
        spare.takeRest(group);
        take(group);
        group.clear();
        [group, spare] = [spare, group];
        group.scan();
      }
    }
    take(group);
    expect(reader.rowCount).toBe(found.length);
    return found;
  } finally {
    // The scripted server does not end the session.
    (client as unknown as { connection: { stream: net.Socket } }).connection.stream.destroy();
  }
}

it('every row arrives once, in order, wherever the scripted server cuts its bytes and sends notices', async () => {
  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.nat(5000).map((length) => 'x'.repeat(length)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 200 }),
      fc.array(fc.nat(1_000_000), { maxLength: 30 }),
      fc.array(fc.nat(200)),
      fc.constantFrom(100, 5000, 1 << 20),
      async (texts, cuts, notices, limit) => {
        pieces = cut(stream(texts, new Set(notices)), cuts);
        expect(await readTexts(limit)).toEqual(texts);
      },
    ),
    { numRuns: 40 },
  );
});

it('rows larger than a group arrive between small ones', async () => {
  const texts = Array.from({ length: 40 }, (_, i) => (i % 7 === 3 ? String(i).repeat(1_500_000) : `small ${i}`));
  pieces = cut(stream(texts, new Set([3, 20])), [17, 1_000_000, 9_999_999, 10_000_000]);
  expect((await readTexts(1 << 16)).map((text) => `${text.length} ${text.slice(-9)}`)).toEqual(
    texts.map((text) => `${text.length} ${text.slice(-9)}`),
  );
});

it('a group that rows behind a notice fill is full, though nothing more comes', async () => {
  const texts = ['first', ...Array.from({ length: 20 }, () => 'x'.repeat(60))];
  // All at once: the first group has three rows, and in the second one the notice stands between two.
  pieces = [stream(texts, new Set([3]))];
  expect(await readTexts(100)).toEqual(texts);
});
