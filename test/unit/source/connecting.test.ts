import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FirnError } from '../../../core/errors.js';
import { connect } from '../../../core/source/postgres/connection.js';
import type { SourceSecret } from '../../../core/source/secret.js';
import { duckdb, extractTable, removeFolders, secretFor } from './extracting.js';
import { startPostgres } from './running-postgres.js';
import { startTlsPostgres, type TlsPostgres } from './tls-postgres.js';

let server: TlsPostgres;
let client: Client;
beforeAll(async () => {
  server = await startTlsPostgres();
  client = await server.connect();
}, 60_000);
afterEach(removeFolders);
afterAll(() => server.stop());

describe('connecting', () => {
  const other = (): string =>
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null', '-subj', '/CN=Other'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString();

  it.each<[string, string, () => Partial<SourceSecret>]>([
    ['a wrong password', 'SourceCredentialsRejected', () => ({ password: 'wrong-password' })],
    ['an unknown user', 'SourceTlsFailed', () => ({ user: 'nobody_known' })],
    ['an unknown database', 'SourceCredentialsRejected', () => ({ database: 'no_such_database' })],
    ['no TLS where the server wants it', 'SourceTlsFailed', () => ({ user: 'tls_only', sslmode: 'disable' })],
    ['a certificate of another authority', 'SourceTlsFailed', () => ({ sslmode: 'verify-ca', sslrootcert: other() })],
    ['a certificate without its authority', 'SourceTlsFailed', () => ({ sslmode: 'verify-full' })],
    ['a certificate for another host', 'SourceTlsFailed', () => ({ sslmode: 'verify-full', sslrootcert: server.authority() })],
    ['a host that is not there', 'SourceUnreachable', () => ({ host: 'no-such-host.invalid' })],
  ])('%s is %s', async (_, code, more) => {
    const error = (await connect(server.reader(more())).catch((e: unknown) => e)) as FirnError;
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^PostgreSQL at [\w.-]+:\d+, database \w+: /);
    expect(error.message).not.toMatch(/correct horse|wrong-password/);
  });

  it.each<[string, () => Partial<SourceSecret>]>([
    ['by password', () => ({})],
    ['over TLS', () => ({ sslmode: 'require', user: 'tls_only' })],
    ['over TLS with the authority checked', () => ({ sslmode: 'verify-ca', sslrootcert: server.authority() })],
    ['over TLS when there is TLS', () => ({ sslmode: 'prefer', user: 'tls_only' })],
  ])('connects %s', async (_, more) => {
    const session = await connect(server.reader(more()));
    const { rows } = await session.query('SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()');
    await session.end();
    expect(rows).toEqual([{ application_name: 'firn' }]);
  });

  it('reads by COPY over TLS', async () => {
    await client.query(
      'CREATE TABLE over_tls AS SELECT i AS id, repeat(md5(i::text), 20) AS v FROM generate_series(1, 20000) i; GRANT SELECT ON over_tls TO reader',
    );
    const { folder } = await extractTable(client, { table: 'over_tls' }, {}, { connection: server.reader({ sslmode: 'require' }) });
    expect(await duckdb(folder, 'SELECT count(*), sum(id) FROM t')).toEqual([['20000', '200010000']]);
  });

  it('a server that is not there is SourceUnreachable', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as net.AddressInfo;
    taken.close();
    await once(taken, 'close');
    await expect(connect(secretFor(port))).rejects.toMatchObject({ code: 'SourceUnreachable' });
  });

  it('a server without TLS is SourceTlsFailed for require, and none for prefer', async () => {
    const plain = await startPostgres();
    try {
      const error = await connect({ ...secretFor(plain.port), sslmode: 'require' }).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'SourceTlsFailed' });
      await (await connect({ ...secretFor(plain.port), sslmode: 'prefer' })).end();
    } finally {
      await plain.stop();
    }
  });

  it('a server without free connections is SourceBusy', async () => {
    const sessions: Client[] = [];
    const error = await (async () => {
      for (let i = 0; i < 20; i++) sessions.push(await connect(server.reader()));
    })().catch((e: unknown) => e);
    await Promise.all(sessions.map((session) => session.end()));
    expect(error).toMatchObject({ code: 'SourceBusy' });
  });
});
