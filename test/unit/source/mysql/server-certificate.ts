import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';

/** A folder with a certificate authority (ca.crt), another one (other.crt) and a certificate for `db.test` (server.crt, server.key). */
export function serverCertificate(): string {
  const folder = mkdtempSync('/tmp/firn-tls-');
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  for (const name of ['ca', 'other'])
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=Test CA',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
    );
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=db.test', '-keyout', 'server.key', '-out', 'server.csr');
  openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-out', 'server.crt');
  return folder;
}

/** Arguments of a server that uses them. */
export const tlsOptions = (folder: string): string[] => [
  `--ssl-cert=${folder}/server.crt`,
  `--ssl-key=${folder}/server.key`,
  `--ssl-ca=${folder}/ca.crt`,
];
