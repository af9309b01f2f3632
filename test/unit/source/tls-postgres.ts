import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { SourceSecret } from '../../../core/source/secret.js';
import { secretFor } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';

const password = 'correct horse battery staple';

export interface TlsPostgres extends RunningPostgres {
  /** Of the authority that signed the server's certificate. */
  authority(): string;
  /** The role `reader`, who has a password; `tls_only` may not come without TLS. */
  reader(more?: Partial<SourceSecret>): SourceSecret;
}

/** A PostgreSQL server with TLS, passwords and few connections. */
export async function startTlsPostgres(): Promise<TlsPostgres> {
  const tls = serverCertificate();
  const server = await startPostgres({
    max_connections: '12',
    superuser_reserved_connections: '3',
    ssl: 'on',
    ssl_cert_file: `${tls}/server.crt`,
    ssl_key_file: `${tls}/server.key`,
    hba_file: `${tls}/pg_hba.conf`,
  });
  const client = await server.connect();
  await client.query(`CREATE ROLE reader LOGIN PASSWORD '${password}'; CREATE ROLE tls_only LOGIN PASSWORD '${password}'`);
  await client.end();
  return {
    ...server,
    authority: () => readFileSync(`${tls}/ca.crt`, 'utf8'),
    reader: (more = {}) => ({ ...secretFor(server.port), user: 'reader', password, ...more }),
    async stop() {
      await server.stop();
      rmSync(tls, { recursive: true });
    },
  };
}

/** A certificate authority, a certificate for `db.test`, and a pg_hba.conf that trusts postgres only. */
function serverCertificate(): string {
  const folder = mkdtempSync('/tmp/firn-tls-');
  chmodSync(folder, 0o755);
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=Test CA', '-keyout', 'ca.key', '-out', 'ca.crt');
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=db.test', '-keyout', 'server.key', '-out', 'server.csr');
  openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-out', 'server.crt');
  writeFileSync(
    `${folder}/pg_hba.conf`,
    'host all postgres 127.0.0.1/32 trust\nhostssl all tls_only 127.0.0.1/32 scram-sha-256\nhost all reader 127.0.0.1/32 scram-sha-256\n',
  );
  chmodSync(`${folder}/server.key`, 0o600);
  if (process.getuid?.() === 0) for (const file of readdirSync(folder)) chownSync(`${folder}/${file}`, 65534, 65534);
  return folder;
}
