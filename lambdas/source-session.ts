import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SourceSettings } from '../core/config/schema.js';
import { readSecret } from '../core/secrets.js';
import { type SourceSecret, type SourceSession, sourceKind } from '../core/source/source.js';
import { environment } from './clients.js';

/** The secret of a source: its own name, or the one that the environment gives it. @throws FirnError SourceCredentialsRejected */
export async function readSourceSecret({ source, database, type, secret }: SourceSettings): Promise<SourceSecret> {
  const name = secret ?? `firn/${environment('FIRN_ENVIRONMENT')}/${source}/${database}`;
  const { secretSchema } = await sourceKind(type);
  return readSecret(new SecretsManagerClient({}), name, secretSchema, 'SourceCredentialsRejected');
}

/** Opens a session at the source for the time of `work`. @throws FirnError Source… */
export async function withSource<T>(settings: SourceSettings, work: (session: SourceSession) => Promise<T>): Promise<T> {
  const { open } = await sourceKind(settings.type);
  const session = await open(await readSourceSecret(settings));
  try {
    return await work(session);
  } finally {
    await session.end().catch(() => {});
  }
}
