import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { readSecret, type SnowflakeSecret, snowflakeSecretSchema } from '../core/secrets.js';
import { connectSnowflake, type Warehouse } from '../core/warehouse/snowflake.js';
import { snowflakeSecretName } from '../lib/secret-names.js';

/** Of Firn's Snowflake user. @throws FirnError WarehouseCredentialsRejected */
export const snowflakeSecretOf = (environment: string): Promise<SnowflakeSecret> =>
  readSecret(new SecretsManagerClient({}), snowflakeSecretName(environment), snowflakeSecretSchema, 'WarehouseCredentialsRejected');

/** A session of Firn's Snowflake user, in its database, schema FIRN; closed when `use` is done. */
export async function withSnowflake<T>(environment: string, use: (warehouse: Warehouse) => Promise<T>): Promise<T> {
  const secret = await snowflakeSecretOf(environment);
  // Somebody waits before a still screen.
  const warehouse = await connectSnowflake(secret, { queryTag: { from: 'cli' }, loginRetries: 2 });
  try {
    await warehouse.query('USE SCHEMA FIRN');
    return await use(warehouse);
  } finally {
    await warehouse.close();
  }
}
