import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Client } from 'pg';
import type { SourceSettings } from '../core/config/schema.js';
import { readSecret } from '../core/secrets.js';
import { connect, type PostgresSecret, postgresSecretSchema } from '../core/source/postgres/connection.js';
import { environment } from './clients.js';

/** The secret of a source: its own name, or the one that the environment gives it. @throws FirnError SourceCredentialsRejected */
export function readSourceSecret({ source, database, secret }: SourceSettings): Promise<PostgresSecret> {
  const name = secret ?? `firn/${environment('FIRN_ENVIRONMENT')}/${source}/${database}`;
  return readSecret(new SecretsManagerClient({}), name, postgresSecretSchema, 'SourceCredentialsRejected');
}

/** Opens a session at the source for the time of `work`. @throws FirnError Source… */
export async function withSource<T>(settings: SourceSettings, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(await readSourceSecret(settings));
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
