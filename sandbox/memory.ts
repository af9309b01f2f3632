import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import getPort, { clearLockedPorts } from 'get-port';
import type { PostgresLogins } from './postgres.js';
import type { Service } from './service.js';

export const serviceNames = ['postgres', 'mysql', 'aws', 'snowflake'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** What one sandbox keeps from one `up` to the next, in `sandbox.json`, readable by its owner only. */
export interface Memory {
  ports: Record<ServiceName, number>;
  /** Of PostgreSQL and, as `root` and `firn`, of MariaDB. */
  logins: PostgresLogins;
  /** MariaDB was asked for: it starts with the others from then on. */
  mysql?: boolean;
  /** PKCS#8 PEM of Firn's Snowflake user. */
  snowflakeKey: string;
  /** Servers that were started, and what of their code they were started with. */
  processes: (Service & { code: string })[];
  /** Fingerprint of what was deployed. */
  deployed?: string;
}

const path = (directory: string): string => join(directory, 'sandbox.json');

/** The sandbox's memory, or null when there never was one. */
export function readMemory(directory: string): Memory | null {
  try {
    return JSON.parse(readFileSync(path(directory), 'utf8')) as Memory;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export function writeMemory(directory: string, memory: Memory): void {
  writeWhole(path(directory), memory);
}

/** Memory of a new sandbox: free ports, random passwords, a key pair. */
export async function newMemory(): Promise<Memory> {
  const password = () => randomBytes(18).toString('base64url');
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    ports: { postgres: await freePort(), mysql: await freePort(), aws: await freePort(), snowflake: await freePort() },
    logins: { admin: password(), firn: password() },
    snowflakeKey: privateKey,
    processes: [],
  };
}

/**
 * The port if it is still free on 127.0.0.1, else another. All lie below the range from which the system takes ports for outgoing
 * connections (Linux: 32768 and up): while a server is down, nobody else gets its port by chance.
 */
export const freePort = (wanted?: number): Promise<number> => {
  // get-port gives no port twice within half a minute, which would move a server that is started again at once.
  if (wanted) clearLockedPorts();
  const random = Array.from({ length: 100 }, () => 20_000 + Math.floor(Math.random() * 12_000));
  return getPort({ host: '127.0.0.1', port: wanted ? [wanted, ...random] : random });
};

/** Writes JSON so that a reader sees the old file or the new one, never half. */
export function writeWhole(file: string, value: unknown): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
