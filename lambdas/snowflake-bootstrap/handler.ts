import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { bootstrap, type ResourceAnswer, type ResourceEvent } from '../../core/bootstrap/bootstrap.js';
import { createLog } from '../../core/log.js';
import { readSecret, snowflakeSecretSchema } from '../../core/secrets.js';
import { connectSnowflake } from '../../core/warehouse/snowflake.js';
import type { SqlBundle } from '../../sql/bundle.js';
import { environment } from '../clients.js';

const secrets = new SecretsManagerClient({});
const s3 = new S3Client({});

/** Laid beside this file when it is bundled (lib/snowflake-bootstrap.ts). */
const sql = (): SqlBundle => JSON.parse(readFileSync(new URL('./sql.json', import.meta.url), 'utf8'));

export async function handler(event: ResourceEvent): Promise<ResourceAnswer> {
  const log = createLog({ function: 'snowflake-bootstrap', resource: event.ResourceType, request: event.RequestType });
  return bootstrap(event, {
    sql: sql(),
    secret: () => readSecret(secrets, environment('SNOWFLAKE_SECRET'), snowflakeSecretSchema, 'WarehouseCredentialsRejected'),
    connect: (secret) => connectSnowflake(secret, { queryTag: { function: 'snowflake-bootstrap' } }),
    s3,
    region: environment('AWS_REGION'),
    pause: () => setTimeout(5_000),
    log,
  });
}
