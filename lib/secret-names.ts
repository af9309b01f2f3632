import type { SourceSettings } from '../core/config/schema.js';

/** Name of the secret that holds Firn's Snowflake user. */
export const snowflakeSecretName = (environment: string): string => `firn/${environment}/snowflake`;

/** Name of the secret that holds a source's user: its own, where the configuration gives one. */
export const sourceSecretName = (
  environment: string,
  { source, database, secret }: Pick<SourceSettings, 'source' | 'database' | 'secret'>,
) => secret ?? `firn/${environment}/${source}/${database}`;
