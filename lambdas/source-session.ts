import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SourceSettings } from '../core/config/schema.js';
import { readSecret } from '../core/secrets.js';
import { sourceKind } from '../core/source/kinds.js';
import type { SourceSecret, SourceSession } from '../core/source/source.js';
import { environment } from './clients.js';

/** The name of a source's secret: its own, or the one that the environment gives it. */
export const sourceSecretName = ({ source, database, secret }: SourceSettings): string =>
  secret ?? `firn/${environment('FIRN_ENVIRONMENT')}/${source}/${database}`;

/** @throws FirnError SourceCredentialsRejected */
export async function readSourceSecret(settings: SourceSettings): Promise<SourceSecret> {
  const { secretSchema } = await sourceKind(settings.type);
  return readSecret(new SecretsManagerClient({}), sourceSecretName(settings), secretSchema, 'SourceCredentialsRejected');
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
