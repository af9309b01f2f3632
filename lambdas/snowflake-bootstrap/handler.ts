import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { bootstrap, type ResourceAnswer, type ResourceEvent } from '../../core/bootstrap/bootstrap.js';
import { asFirnError } from '../../core/errors.js';
import { createLog } from '../../core/log.js';
import { readSecret, snowflakeSecretSchema } from '../../core/secrets.js';
import { connectSnowflake } from '../../core/warehouse/snowflake.js';
import type { SqlBundle } from '../../sql/bundle.js';
import { environment, s3 } from '../clients.js';

const secrets = new SecretsManagerClient({});

/** Laid beside this file when it is bundled (lib/snowflake-bootstrap.ts). */
const sql = (): SqlBundle => JSON.parse(readFileSync(new URL('./sql.json', import.meta.url), 'utf8'));

/** What it throws is what CloudFormation shows to whoever deploys. */
export async function handler(event: ResourceEvent): Promise<ResourceAnswer> {
  const log = createLog({ function: 'snowflake-bootstrap', resource: event.ResourceType, request: event.RequestType });
  try {
    return await bootstrap(event, {
      sql: sql(),
      secret: () => readSecret(secrets, environment('SNOWFLAKE_SECRET'), snowflakeSecretSchema, 'WarehouseCredentialsRejected'),
      connect: (secret) => connectSnowflake(secret, { queryTag: { function: 'snowflake-bootstrap' } }),
      s3,
      region: environment('AWS_REGION'),
      pause: () => setTimeout(5_000),
      log,
    });
  } catch (thrown) {
    const error = asFirnError(thrown);
    log.error({ error: error.toRecord(), stack: error.stack }, error.message);
    error.stack = `${error.name}: ${error.message}`;
    throw error;
  }
}
