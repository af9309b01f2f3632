import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { readSecret, snowflakeSecretSchema } from '../core/secrets.js';
import { connectSnowflake, type Warehouse } from '../core/warehouse/snowflake.js';
import { snowflakeSecretName } from '../lib/secret-names.js';

/** A session of Firn's Snowflake user, in its database, schema FIRN; closed when `use` is done. */
export async function withSnowflake<T>(environment: string, use: (warehouse: Warehouse) => Promise<T>): Promise<T> {
  const name = snowflakeSecretName(environment);
  const secret = await readSecret(new SecretsManagerClient({}), name, snowflakeSecretSchema, 'WarehouseCredentialsRejected');
  // Somebody waits before a still screen.
  const warehouse = await connectSnowflake(secret, { queryTag: { from: 'cli' }, loginRetries: 2 });
  try {
    await warehouse.query('USE SCHEMA FIRN');
    return await use(warehouse);
  } finally {
    await warehouse.close();
  }
}
