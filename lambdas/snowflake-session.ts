import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { FirnError } from '../core/errors.js';
import { readSecret, snowflakeSecretSchema } from '../core/secrets.js';
import { quoteLiteral } from '../core/warehouse/identifiers.js';
import { connectSnowflake, type Warehouse } from '../core/warehouse/snowflake.js';
import { environment } from './clients.js';

type Tag = Record<string, string>;

/** One session per warehouse, kept as long as the container is warm: logging in costs more than most statements. A container serves one call at a time. */
const sessions = new Map<string | null, { session: Warehouse; tag: Tag }>();

/**
 * Runs `work` in a session at Snowflake. After an error of Snowflake's the next call opens a new one.
 * @param tag stands as JSON beside each statement in QUERY_HISTORY
 * @param warehouse instead of the one of Firn's secret
 */
export async function withSnowflake<T>(tag: Tag, warehouse: string | null, work: (session: Warehouse) => Promise<T>): Promise<T> {
  try {
    return await work(await tagged(tag, warehouse));
  } catch (error) {
    // Not closed: statements that were submitted go on.
    if (error instanceof FirnError && error.code.startsWith('Warehouse')) sessions.delete(warehouse);
    throw error;
  }
}

async function tagged(tag: Tag, warehouse: string | null): Promise<Warehouse> {
  const kept = sessions.get(warehouse);
  const session = kept?.session ?? (await open(tag, warehouse));
  if (kept && JSON.stringify(kept.tag) !== JSON.stringify(tag)) {
    await session.query(`ALTER SESSION SET QUERY_TAG = ${quoteLiteral(JSON.stringify({ app: 'firn', ...tag }))}`);
  }
  sessions.set(warehouse, { session, tag });
  return session;
}

async function open(queryTag: Tag, warehouse: string | null): Promise<Warehouse> {
  const name = environment('SNOWFLAKE_SECRET');
  const secret = await readSecret(new SecretsManagerClient({}), name, snowflakeSecretSchema, 'WarehouseCredentialsRejected');
  return connectSnowflake(secret, { queryTag, warehouse });
}
