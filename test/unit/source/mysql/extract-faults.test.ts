import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import getPort from 'get-port';
import type { Connection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FirnError } from '../../../../core/errors.js';
import { connect } from '../../../../core/source/mysql/connection.js';
import { extract } from '../../../../core/source/mysql/extract.js';
import { type FileSink, openLocalFile } from '../../../../core/source/sink.js';
import type { SourceSecret, TableRead } from '../../../../core/source/source.js';
import { duckdb, newFolder, removeFolders } from '../extracting.js';
import { extractTable } from './extracting-mysql.js';
import { type RunningMysql, startMysql } from './running-mysql.js';
import { serverCertificate, tlsOptions } from './server-certificate.js';

const password = 'correct horse battery staple';
let server: RunningMysql;
let admin: Connection;
let tls: string;

beforeAll(async () => {
  tls = serverCertificate();
  server = await startMysql(tlsOptions(tls));
  admin = await server.connect();
  await admin.query(`CREATE USER reader@'%' IDENTIFIED BY '${password}';
    CREATE USER tls_only@'%' IDENTIFIED BY '${password}' REQUIRE SSL; GRANT SELECT ON shop.* TO tls_only@'%';
    CREATE TABLE secret_table (id int);
    CREATE TABLE big (id int PRIMARY KEY, a char(32), b char(32), c varchar(99));
    INSERT INTO big SELECT seq, MD5(seq), MD5(seq * 3), REPEAT(seq, seq % 9) FROM seq_1_to_400000;
    GRANT SELECT ON shop.big TO reader@'%'`);
});
afterEach(removeFolders);
afterAll(async () => {
  await server.stop();
  rmSync(tls, { recursive: true });
});

const reader = (more: Partial<SourceSecret> = {}): SourceSecret => ({ ...server.secret, user: 'reader', password, ...more });
const authority = (): string => readFileSync(`${tls}/ca.crt`, 'utf8');

describe('connecting', () => {
  it.each<[string, string, () => Partial<SourceSecret> | Promise<Partial<SourceSecret>>]>([
    ['a wrong password', 'SourceCredentialsRejected', () => ({ password: 'wrong-password' })],
    ['an unknown user', 'SourceCredentialsRejected', () => ({ user: 'nobody_known' })],
    ['an unknown database', 'SourceCredentialsRejected', () => ({ database: 'no_such_database' })],
    ['a certificate without its authority', 'SourceTlsFailed', () => ({ sslmode: 'verify-full' })],
    ['a certificate for another host', 'SourceTlsFailed', () => ({ host: 'localhost', sslmode: 'verify-full', sslrootcert: authority() })],
    ['a host that is not there', 'SourceUnreachable', () => ({ host: 'no-such-host.invalid' })],
    ['a server that is not there', 'SourceUnreachable', async () => ({ port: await getPort() })],
  ])('%s is %s', async (_, code, more) => {
    const error = (await connect(reader(await more())).catch((e: unknown) => e)) as FirnError;
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(/^MySQL at [\w.-]+:\d+, database \w+: /);
    expect(error.message).not.toMatch(/correct horse|wrong-password/);
  });

  it.each<[string, () => Partial<SourceSecret>, boolean]>([
    ['without TLS', () => ({ sslmode: 'disable' }), false],
    ['over TLS', () => ({ sslmode: 'require', user: 'tls_only' }), true],
    ['over TLS with the authority checked', () => ({ sslmode: 'verify-ca', sslrootcert: authority() }), true],
    ['over TLS when there is TLS', () => ({ sslmode: 'prefer', user: 'tls_only' }), true],
  ])('connects %s', async (_, more, encrypted) => {
    const { connection } = await connect(reader(more()));
    const [[row]] = (await connection.query("SHOW STATUS LIKE 'Ssl_cipher'")) as unknown as [[{ Value: string }]];
    connection.destroy();
    expect(row.Value !== '').toBe(encrypted);
  });

  it('a server without TLS is SourceTlsFailed for require, and none for prefer', async () => {
    const plain = await startMysql(['--skip-ssl']);
    try {
      await expect(connect({ ...plain.secret, sslmode: 'require' })).rejects.toMatchObject({ code: 'SourceTlsFailed' });
      (await connect({ ...plain.secret, sslmode: 'prefer' })).connection.destroy();
    } finally {
      await plain.stop();
    }
  });

  it('a server with no connection left is SourceBusy', async () => {
    await admin.query("CREATE USER single@'%' WITH MAX_USER_CONNECTIONS 1; GRANT SELECT ON shop.* TO single@'%'");
    const single = { ...server.secret, user: 'single' };
    const one = await connect(single);
    await expect(connect(single)).rejects.toMatchObject({ code: 'SourceBusy' });
    one.connection.destroy();
  });
});

const sumOf = async (folder: string): Promise<unknown> =>
  (await duckdb(folder, 'SELECT count(*)::INT, sum(id)::BIGINT::VARCHAR, sum(hash(a, b, c))::VARCHAR FROM t'))[0];

describe('reading', () => {
  /** The same table by another way: what arrived is equal to it if this is. */
  let whole: unknown;
  beforeAll(async () => {
    whole = await sumOf((await extractTable(server.secret, 'big')).folder);
    expect((whole as unknown[])[0]).toBe(400_000);
  });

  it('what is written is what MariaDB has', async () => {
    const { folder } = await extractTable(server.secret, 'big');
    const [[row]] = (await admin.query('SELECT SUM(CRC32(CONCAT(a, b, c))) AS sum FROM big')) as unknown as [[{ sum: string }]];
    const rows = await duckdb(folder, 'SELECT a || b || c FROM t');
    const { crc32 } = await import('node:zlib');
    expect(String(rows.reduce((sum, [text]) => sum + crc32(text as string), 0))).toBe(row.sum);
  });

  it('arrives whole over TLS', async () => {
    const { folder } = await extractTable(reader({ sslmode: 'require' }), 'big');
    expect(await sumOf(folder)).toEqual(whole);
  });

  it('arrives whole into a sink that takes it in fits and starts, and many files', async () => {
    const folder = newFolder();
    const files: string[] = [];
    await extractTable(
      server.secret,
      'big',
      {},
      {
        fileBytes: 1 << 20,
        openFile: async (part) => {
          files.push(String(part));
          return halting(await openLocalFile(folder, `${part}.parquet`));
        },
      },
    );
    expect(files.length).toBeGreaterThan(2);
    expect(await sumOf(folder)).toEqual(whole);
  });

  it('one snapshot: what is committed while it is read is not in it', async () => {
    const folder = newFolder();
    const { rows } = await extractTable(
      server.secret,
      'big',
      {},
      {
        openFile: async (part) => {
          await admin.query("INSERT INTO big VALUES (-1, '', '', '')");
          return openLocalFile(folder, `${part}.parquet`);
        },
      },
    );
    await admin.query('DELETE FROM big WHERE id = -1');
    expect(rows).toBe(400_000);
  });

  const column = (name: string) =>
    ({
      name,
      target: name.toUpperCase(),
      sourceType: 'char(32)',
      nullable: true,
      parquet: { kind: 'string' },
      raw: 'VARCHAR',
      staging: 'VARCHAR',
      convert: 'none',
    }) as const;
  const bigRead = (connection: SourceSecret): TableRead => ({
    connection,
    relation: { schema: 'shop', table: 'big' },
    columns: [column('a')],
    where: { rowFilter: null, cursor: null, chunk: null },
    constants: {},
    openFile: async () => openLocalFile(newFolder(), 'x.parquet'),
  });

  it.each<[string, string, () => TableRead]>([
    [
      'a table that is not shown to the user',
      'SourceTableMissing',
      () => ({ ...bigRead(reader()), relation: { schema: 'shop', table: 'secret_table' } }),
    ],
    [
      'a filter that is no SQL',
      'SourceQueryFailed',
      () => ({ ...bigRead(reader()), where: { rowFilter: 'id =', cursor: null, chunk: null } }),
    ],
    ['a column that is gone', 'SchemaChangedDuringRun', () => ({ ...bigRead(reader()), columns: [column('gone')] })],
    ['a column of another type', 'SchemaChangedDuringRun', () => ({ ...bigRead(reader()), columns: [column('id')] })],
    [
      'a table behind a view that its owner may not read',
      'SourcePermissionDenied',
      () => ({
        ...bigRead({ ...reader(), user: 'tls_only', sslmode: 'require' }),
        relation: { schema: 'shop', table: 'broken' },
        columns: [column('a')],
      }),
    ],
  ])('%s is %s', async (_, code, read) => {
    await admin.query("CREATE OR REPLACE DEFINER = reader@'%' SQL SECURITY DEFINER VIEW broken AS SELECT MD5(id) AS a FROM secret_table");
    await expect(extract(read())).rejects.toMatchObject({ code });
  });

  it('a table that is altered after the snapshot is SchemaChangedDuringRun', async () => {
    await admin.query('CREATE OR REPLACE TABLE changing (id int PRIMARY KEY); INSERT INTO changing VALUES (1)');
    const { connection, secret } = await connect(server.secret);
    await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    await admin.query('ALTER TABLE changing ADD COLUMN n int, ALGORITHM = COPY');
    const { asSourceError } = await import('../../../../core/source/mysql/errors.js');
    const error = await connection.query('SELECT * FROM changing').catch((e: unknown) => asSourceError(e, secret));
    connection.destroy();
    expect(error).toMatchObject({ code: 'SchemaChangedDuringRun' });
  });

  it('a killed connection is SourceConnectionLost', async () => {
    const read = extractTable(
      reader(),
      'big',
      {},
      {
        openFile: async () => {
          await killReaders();
          return openLocalFile(newFolder(), 'x.parquet');
        },
      },
    );
    await expect(read).rejects.toMatchObject({ code: 'SourceConnectionLost' });
  });

  it('stops when it is told to, for the reason that it is told, and so does the query at the server', async () => {
    const stop = new AbortController();
    const read = extractTable(
      reader(),
      'big',
      {},
      {
        signal: stop.signal,
        openFile: async () => {
          stop.abort(new FirnError('TimedOut', 'no time left'));
          return openLocalFile(newFolder(), 'x.parquet');
        },
      },
    );
    await expect(read).rejects.toMatchObject({ code: 'TimedOut', message: 'no time left' });
    await expect.poll(async () => (await processes()).length, { timeout: 20_000 }).toBe(0);
  });

  it('reads nothing once it is aborted', async () => {
    await expect(extractTable(reader(), 'big', {}, { signal: AbortSignal.abort(new Error('over')) })).rejects.toMatchObject({
      code: 'Aborted',
    });
  });

  it('gives up a server that says nothing, long before its patience is over', async () => {
    const silent = net.createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const stop = new AbortController();
    silent.once('connection', () => stop.abort());
    const { port } = silent.address() as net.AddressInfo;
    await expect(extract({ ...bigRead(reader({ port })), signal: stop.signal })).rejects.toMatchObject({ code: 'Aborted' });
    silent.close();
  }, 10_000);

  it('a sink that fails ends the read with its own error, and leaves no session', async () => {
    const read = extractTable(reader(), 'big', {}, { openFile: async () => Promise.reject(new Error('disk full')) });
    await expect(read).rejects.toThrow('disk full');
    await expect.poll(async () => (await processes()).length, { timeout: 20_000 }).toBe(0);
  });

  const processes = async (): Promise<{ id: number }[]> =>
    (await admin.query("SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = 'reader'"))[0] as unknown as { id: number }[];
  const killReaders = async (): Promise<void> => {
    for (const { id } of await processes()) await admin.query(`KILL ${id}`);
  };
});

/** Takes its time at each third write. */
function halting(sink: FileSink): FileSink {
  let writes = 0;
  return {
    name: sink.name,
    write: async (bytes) => {
      if (++writes % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (writes % 20 === 0) await admin.query('SELECT 1');
      return sink.write(bytes);
    },
    close: () => sink.close(),
    abort: () => sink.abort(),
  };
}
