import { readdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import zlib from 'node:zlib';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Kernels } from '../../../core/kernels/kernels.js';
import { describeTable } from '../../../core/source/postgres/catalog.js';
import { connect } from '../../../core/source/postgres/connection.js';
import { CopiedRows } from '../../../core/source/postgres/copied-rows.js';
import { type Extraction, extract } from '../../../core/source/postgres/extract.js';
import { beginSnapshot } from '../../../core/source/postgres/extract-snapshot.js';
import { type FileSink, openLocalFile } from '../../../core/source/sink.js';
import { duckdb, everything, extractTable, newFolder, removeFolders, secretFor } from './extracting.js';
import { startTlsPostgres, type TlsPostgres } from './tls-postgres.js';

let server: TlsPostgres;
let client: Client;
beforeAll(async () => {
  server = await startTlsPostgres();
  client = await server.connect();
  await client.query(`CREATE TABLE secret_table (id int);
    CREATE TABLE secured (id int); ALTER TABLE secured ENABLE ROW LEVEL SECURITY; GRANT SELECT ON secured TO reader;
    CREATE TABLE big AS SELECT i AS id, md5(i::text) AS a, md5((i * 3)::text) AS b, md5((i * 5)::text) AS c FROM generate_series(1, 600000) i`);
}, 60_000);
afterEach(removeFolders);
afterAll(() => server.stop());

describe('the table', () => {
  it.each([
    ['missing', { table: 'no_such_table' }, {}, 'SourceTableMissing'],
    ['in a missing schema', { schema: 'no_such_schema', table: 'big' }, {}, 'SourceTableMissing'],
    ['without an excluded column', { table: 'big' }, { columns: { exclude: ['nope'] } }, 'ConfigInvalid'],
    ['with two names that become one', { table: 'big' }, { columns: { rename: { a: 'b' } } }, 'ColumnNameCollision'],
    ["with a name of Firn's", { table: 'big' }, { columns: { rename: { a: '_firn_op' } } }, 'ColumnNameCollision'],
  ])('%s is %s', async (_, relation, settings, code) => {
    await expect(extractTable(client, relation, settings)).rejects.toMatchObject({ code });
  });

  it('that the user may not read is SourcePermissionDenied', async () => {
    const session = await connect(server.reader());
    await expect(describeTable(session, { schema: 'public', table: 'secret_table' })).rejects.toMatchObject({
      code: 'SourcePermissionDenied',
    });
    await session.end();
    const denied = extractTable(client, { table: 'secret_table' }, {}, { connection: server.reader() });
    await expect(denied).rejects.toMatchObject({ code: 'SourcePermissionDenied' });
  });

  it('of which the user may read some columns only is read by these, and names the others', async () => {
    await client.query(`CREATE TABLE partly (id int PRIMARY KEY, open text, hidden text, secret text); INSERT INTO partly VALUES (1, 'o', 'h', 's');
      GRANT SELECT (id, open) ON partly TO reader`);
    const session = await connect(server.reader());
    const relation = { schema: 'public', table: 'partly' };
    await expect(describeTable(session, relation)).rejects.toMatchObject({
      code: 'SourcePermissionDenied',
      message: expect.stringContaining('the user may not read hidden, secret of public.partly: grant SELECT'),
    });
    const settings = { columns: { exclude: ['hidden', 'secret'] } };
    expect(await describeTable(session, relation, settings)).toMatchObject({
      columns: [{ name: 'id' }, { name: 'open' }],
      primaryKey: ['id'],
    });
    await session.end();
    const { folder, rows } = await extractTable(client, { table: 'partly' }, settings, { connection: server.reader() });
    expect(rows).toBe(1);
    expect(await duckdb(folder, 'SELECT * FROM t')).toEqual([[1, 'o']]);
  });

  it('of which he may read some columns only, and which is emptied while the read begins, is refused', async () => {
    await client.query(
      'CREATE TABLE emptied (id int, hidden text); INSERT INTO emptied VALUES (1); GRANT SELECT (id) ON emptied TO reader',
    );
    const session = await connect(server.reader());
    const original = session.query.bind(session) as (...args: unknown[]) => Promise<unknown>;
    // Between the snapshot and the first lock.
    Object.assign(session, {
      query: async (...args: unknown[]) => {
        const result = await original(...args);
        if (JSON.stringify(args).includes('statement_timestamp')) await client.query('TRUNCATE emptied');
        return result;
      },
    });
    await expect(beginSnapshot(session, { schema: 'public', table: 'emptied' })).rejects.toMatchObject({ code: 'SourceBusy' });
    await session.end();
  });

  it('whose rows a policy hides is refused rather than read in part', async () => {
    const hidden = extractTable(client, { table: 'secured' }, {}, { connection: server.reader() });
    await expect(hidden).rejects.toMatchObject({ code: 'SourcePermissionDenied' });
  });

  it('with a filter that the source rejects is SourceQueryFailed, in its words', async () => {
    const where = { ...everything, rowFilter: 'no_such_column = 1' };
    const error = extractTable(client, { table: 'big' }, {}, { where });
    await expect(error).rejects.toMatchObject({
      code: 'SourceQueryFailed',
      message: expect.stringContaining('"no_such_column" does not exist'),
    });
  });

  it('that changed since the plan is SchemaChangedDuringRun', async () => {
    await client.query('CREATE TABLE changing (a int, b numeric(10,2))');
    const { columns } = await describeTable(client, { schema: 'public', table: 'changing' });
    const again = (): Promise<unknown> => extractTable(client, { table: 'changing' }, {}, { columns });
    await client.query('ALTER TABLE changing ALTER b TYPE numeric(12,3)');
    await expect(again()).rejects.toMatchObject({
      code: 'SchemaChangedDuringRun',
      message: expect.stringContaining('is now numeric(12,3)'),
    });
    await client.query('ALTER TABLE changing DROP b');
    await expect(again()).rejects.toMatchObject({ code: 'SchemaChangedDuringRun' });
  });

  it('that is being truncated is waited for: never a snapshot from before with the rows gone', async () => {
    await client.query('CREATE TABLE truncated AS SELECT 1 AS id');
    const { columns } = await describeTable(client, { schema: 'public', table: 'truncated' });
    await client.query('BEGIN; TRUNCATE truncated; INSERT INTO truncated VALUES (2), (3)');
    const reading = extract(extraction({ relation: { schema: 'public', table: 'truncated' }, columns }));
    const watcher = await server.connect();
    const waiting = `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND relation = 'truncated'::regclass`;
    while ((await watcher.query<{ n: number }>(waiting)).rows[0]!.n === 0) await turn();
    await client.query('COMMIT');
    expect((await reading).rows).toBe(2);
  });
});

/** What a test does not care about. */
function extraction(more: Partial<Extraction>): Extraction {
  const folder = newFolder();
  const openFile: Extraction['openFile'] = (part) => openLocalFile(folder, `${part}.parquet`);
  const nothing = { relation: { schema: 'public', table: 'big' }, columns: [], where: everything, constants: {} };
  return { connection: secretFor(server.port), openFile, ...nothing, ...more };
}

describe('while reading', () => {
  const running = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE 'COPY%' AND application_name = 'firn'`;

  async function noneRuns(): Promise<void> {
    while ((await client.query<{ n: number }>(running)).rows[0]!.n > 0) await turn();
  }

  it('an abort stops the query at the server and leaves no file', async () => {
    const stop = new AbortController();
    const opened: string[] = [];
    const reading = extractTable(
      client,
      { table: 'big' },
      {},
      {
        signal: stop.signal,
        onProgress: () => stop.abort(),
        openFile: async (part) => {
          opened.push(newFolder());
          return openLocalFile(opened[0]!, `${part}.parquet`);
        },
      },
    );
    await expect(reading).rejects.toMatchObject({ code: 'Aborted' });
    await noneRuns();
    expect(readdirSync(opened[0]!)).toEqual([]);
  });

  it.each(['disable', 'require'] as const)('an abort reaches a query that sends nothing yet, sslmode %s', async (sslmode) => {
    const stop = new AbortController();
    const where = { ...everything, rowFilter: 'id < 0 AND pg_sleep(600) IS NULL OR id = 1 AND pg_sleep(600) IS NULL' };
    const reading = extractTable(
      client,
      { table: 'big' },
      {},
      { signal: stop.signal, where, connection: { ...secretFor(server.port), sslmode } },
    ).catch((e: unknown) => e);
    while ((await client.query<{ n: number }>(running)).rows[0]!.n === 0) await turn();
    stop.abort();
    expect(await reading).toMatchObject({ code: 'Aborted' });
    await noneRuns();
  });

  it('a session that the server ends is SourceConnectionLost', async () => {
    const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND application_name = 'firn'`;
    const killed = slowly(async () => void (await client.query(kill)));
    await expect(extractTable(client, { table: 'big' }, {}, killed)).rejects.toMatchObject({ code: 'SourceConnectionLost' });
  });

  it('an error in a row, after others were sent, is SourceQueryFailed', async () => {
    const where = { ...everything, rowFilter: '1 / (id - 500000) IS NOT NULL' };
    await expect(extractTable(client, { table: 'big' }, {}, { where })).rejects.toMatchObject({
      code: 'SourceQueryFailed',
      message: expect.stringContaining('division by zero'),
    });
  });

  it('a sink that fails ends the reading, aborts the file, and its error is told', async () => {
    let aborted = 0;
    const failing: FileSink = {
      name: 'x',
      write: () => Promise.reject(new Error('disk full')),
      close: async () => {},
      abort: async () => void aborted++,
    };
    await expect(extractTable(client, { table: 'big' }, {}, { openFile: async () => failing })).rejects.toThrow('disk full');
    expect(aborted).toBe(1);
    await noneRuns();
  });

  const sessions = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'firn'`;
  const noneIsOpen = () => expect.poll(async () => (await client.query(sessions)).rows, { timeout: 20_000 }).toEqual([{ n: 0 }]);

  it.each([1, 3])('the source is let go of before the last files are closed, connections: %i', async (connections) => {
    const folder = newFolder();
    const openFile = async (part: number): Promise<FileSink> => {
      const file = await openLocalFile(folder, `${part}.parquet`);
      return {
        name: file.name,
        write: (bytes) => file.write(bytes),
        close: () => noneIsOpen().then(() => file.close()),
        abort: () => file.abort(),
      };
    };
    await extractTable(client, { table: 'big' }, {}, { connections, openFile });
    expect(await duckdb(folder, 'SELECT count(distinct id) FROM t')).toEqual([['600000']]);
  });

  it('a codec that is not there leaves no connection behind', async () => {
    const own = Object.getOwnPropertyDescriptor(zlib, 'createZstdCompress')!;
    Object.defineProperty(zlib, 'createZstdCompress', { ...own, value: undefined });
    try {
      await expect(extractTable(client, { table: 'big' }, {}, { connections: 3 })).rejects.toThrow('zstd needs Node');
    } finally {
      Object.defineProperty(zlib, 'createZstdCompress', own);
    }
    await noneIsOpen();
  });

  it('a table that has changed leaves no connection behind of those that are being opened', async () => {
    const { columns } = await describeTable(client, { schema: 'public', table: 'big' });
    const changed = columns.map((column) => ({ ...column, parquet: { kind: 'boolean' as const } }));
    for (let run = 0; run < 20; run++) {
      const reading = extractTable(client, { table: 'big' }, {}, { connections: 4, columns: changed });
      await expect(reading).rejects.toMatchObject({ code: 'SchemaChangedDuringRun' });
    }
    await noneIsOpen();
  });

  it('a session that is given is ended, also when nothing is read since it was aborted before', async () => {
    const session = await connect(secretFor(server.port));
    await expect(extract(extraction({ session, signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: 'Aborted' });
    await noneIsOpen();
  });

  it('a slow sink holds the source back and changes nothing', async () => {
    // Pages that reads before have left are used again.
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const cleared = vi.spyOn(CopiedRows.prototype, 'clear');
    const slow = slowly(async () => {
      for (let i = 0; i < 20; i++) await turn();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    });
    const folder = newFolder();
    await extractTable(client, { table: 'big' }, {}, { ...slow, openFile: slow.openFile.bind(null, folder) });
    const facts = 'SELECT count(*)::text, sum(id)::text, max(md5(a || b || c)), min(md5(a || b || c)) FROM';
    expect(await duckdb(folder, `${facts} t`)).toEqual((await client.query({ text: `${facts} big`, rowMode: 'array' })).rows);
    // Memory of WebAssembly is no buffer of theirs, and never becomes smaller.
    const [{ kernels }] = cleared.mock.contexts as unknown as [{ kernels: Kernels }];
    cleared.mockRestore();
    expect(kernels.run.memory.buffer.byteLength).toBeLessThan(64 << 20);
    expect(most).toBeLessThan(64 << 20);
  });
});

/** A sink of the folder that does something before each write. */
function slowly(before: () => Promise<void>): { openFile: (folder: string | number, part?: number) => Promise<FileSink> } {
  return {
    async openFile(folder, part) {
      const target = typeof folder === 'string' ? folder : newFolder();
      const file = await openLocalFile(target, `${part ?? folder}.parquet`);
      return {
        name: file.name,
        write: async (bytes) => {
          await before();
          await file.write(bytes);
        },
        close: () => file.close(),
        abort: () => file.abort(),
      };
    },
  };
}
