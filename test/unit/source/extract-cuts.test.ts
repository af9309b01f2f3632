import { once } from 'node:events';
import net from 'node:net';
import fc from 'fast-check';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type FileSink, openLocalFile } from '../../../core/source/sink.js';
import { duckdb, extractTable, newFolder, removeFolders, secretFor } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

let server: RunningPostgres;
let client: Client;
beforeAll(async () => {
  server = await startPostgres();
  client = await server.connect();
  // 10 MiB: enough for several connections.
  await client.query('CREATE TABLE cut AS SELECT i AS id, repeat(md5(i::text), 4) AS v FROM generate_series(1, 66000) i');
}, 60_000);
afterEach(removeFolders);
afterAll(() => server.stop());

/**
 * Between the reader and the server: calls `then` once so many bytes have come from the server, over all connections; no more come by that
 * which brought the last of them. Answers how to end it.
 */
async function proxy(bytes: number, then: (cut: () => void) => void): Promise<{ port: number; stop(): void }> {
  const sockets = new Set<net.Socket>();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  let left = bytes;
  const listener = net.createServer((reader) => {
    const source = net.connect(server.port, '127.0.0.1');
    for (const socket of [reader, source]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        reader.destroy();
        source.destroy();
      });
    }
    reader.pipe(source);
    let isStopped = false;
    source.on('data', (chunk) => {
      if (isStopped) return;
      isStopped = left > 0 && left <= chunk.length;
      if (isStopped) reader.write(chunk.subarray(0, left), () => then(cut));
      else reader.write(chunk);
      left -= chunk.length;
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as net.AddressInfo).port,
    stop: () => {
      cut();
      listener.close();
    },
  };
}

const sessions = async (): Promise<number> =>
  (await client.query("SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'firn'")).rows[0].n;

/** A file of the folder that is in `open` until it is closed or aborted. */
async function openWatched(open: Set<string>, folder: string, name: string): Promise<FileSink> {
  const file = await openLocalFile(folder, name);
  open.add(name);
  return {
    name,
    write: (bytes) => file.write(bytes),
    close: () => file.close().finally(() => open.delete(name)),
    abort: () => file.abort().finally(() => open.delete(name)),
  };
}

it.each([
  { what: 'a connection that is cut', codes: ['SourceConnectionLost', 'SourceUnreachable'] },
  { what: 'an abort', codes: ['Aborted'] },
])(
  '$what, at whatever byte, is that error; no file and no session stays open, and a repeat reads every row',
  async ({ what, codes }) => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1, max: 9_400_000 })),
        fc.integer({ min: 1, max: 3 }),
        async (bytes, connections) => {
          let folder = newFolder();
          const open = new Set<string>();
          const abort = new AbortController();
          const between = await proxy(bytes, (cut) => (what === 'an abort' ? abort.abort() : cut()));
          const openFile = (part: number): Promise<FileSink> => openWatched(open, folder, `${part}.parquet`);
          const read = (port: number, signal?: AbortSignal) =>
            extractTable(client, { table: 'cut' }, {}, { connection: secretFor(port), connections, signal, openFile });
          const outcome = await read(between.port, abort.signal).catch((error: unknown) => error);
          between.stop();
          expect([...open]).toEqual([]);
          // One of several connections that is cut while it is opened is done without.
          if (what === 'an abort' || connections === 1) expect(outcome).toBeInstanceOf(Error);
          if (outcome instanceof Error) {
            expect(codes).toContain((outcome as Error & { code: string }).code);
            folder = newFolder();
            await read(server.port);
          }
          expect(await duckdb(folder, 'SELECT count(*), count(distinct id) FROM t')).toEqual([['66000', '66000']]);
          await expect.poll(sessions, { timeout: 20_000 }).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  },
  120_000,
);
