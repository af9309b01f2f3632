import type { S3Client } from '@aws-sdk/client-s3';
import type { SqlBundle } from '../../sql/bundle.js';
import { asFirnError, FirnError } from '../errors.js';
import type { RunLog } from '../log.js';
import type { SnowflakeSecret } from '../secrets.js';
import { quoteIdentifier } from '../warehouse/identifiers.js';
import type { Warehouse } from '../warehouse/snowflake.js';
import { forgetSnowpipe, notifySnowpipe } from './bucket-notification.js';
import { deployIntegrations } from './integrations.js';
import { deployObjects } from './objects.js';
import { integrationsSchema, objectsSchema } from './properties.js';

/** What CDK's provider hands on of a custom resource. */
export interface ResourceEvent {
  RequestType: 'Create' | 'Update' | 'Delete';
  ResourceType: string;
  RequestId: string;
  /** Absent when the resource is created. */
  PhysicalResourceId?: string;
  ResourceProperties: Record<string, unknown>;
}
export interface ResourceAnswer {
  PhysicalResourceId: string;
  Data?: Record<string, string>;
}

/** The world as the bootstrap meets it. */
export interface Surroundings {
  sql: SqlBundle;
  secret(): Promise<SnowflakeSecret>;
  connect(secret: SnowflakeSecret): Promise<Warehouse>;
  s3: S3Client;
  region: string;
  pause(): Promise<void>;
  log: RunLog;
}

/**
 * The two custom resources of lib/snowflake-bootstrap.ts. Creating and updating are the same. Deleting leaves Snowflake as it is,
 * data and integrations included, and never fails: only the bucket's notification goes.
 *
 * @throws FirnError ConfigInvalid when the secret names another database than the environment
 */
export async function bootstrap(event: ResourceEvent, surroundings: Surroundings): Promise<ResourceAnswer> {
  const { ResourceType, ResourceProperties } = event;
  if (event.RequestType === 'Delete') return remove(event, surroundings);
  switch (ResourceType) {
    case 'Custom::FirnSnowflakeIntegrations': {
      const properties = integrationsSchema.parse(ResourceProperties);
      const trust = await inDatabase(surroundings, properties.Database, (warehouse) =>
        deployIntegrations(warehouse, surroundings.sql.setup, properties, surroundings.region),
      );
      return { PhysicalResourceId: properties.StorageIntegration, Data: { ...trust } };
    }
    case 'Custom::FirnSnowflakeObjects': {
      const properties = objectsSchema.parse(ResourceProperties);
      const queue = await inDatabase(surroundings, properties.Database, (warehouse) =>
        deployObjects(warehouse, surroundings.sql, properties, { ...surroundings, owner: event.RequestId }),
      );
      await notifySnowpipe(surroundings.s3, properties.Bucket, queue);
      return { PhysicalResourceId: properties.Database };
    }
    default:
      throw new FirnError('Internal', `The bootstrap knows no resource of type ${ResourceType}.`);
  }
}

async function remove(event: ResourceEvent, { s3, log }: Surroundings): Promise<ResourceAnswer> {
  if (event.ResourceType === 'Custom::FirnSnowflakeObjects') {
    await forgetSnowpipe(s3, String(event.ResourceProperties.Bucket)).catch((error: unknown) =>
      log.warn({ error: String(error) }, 'the notification of the bucket stays'),
    );
  }
  return { PhysicalResourceId: event.PhysicalResourceId! };
}

/** Does the work in a session on the database, which is made if it is not there. */
async function inDatabase<T>({ secret, connect }: Surroundings, database: string, work: (warehouse: Warehouse) => Promise<T>): Promise<T> {
  const user = await secret().catch((error: unknown) => {
    const { code, message } = asFirnError(error);
    throw new FirnError(code, `${message} Put its value, then deploy again.`, { cause: error });
  });
  if (user.database.toUpperCase() !== database) {
    throw new FirnError('ConfigInvalid', `The Snowflake secret names database ${user.database}, config/environments.yaml ${database}.`);
  }
  const warehouse = await connect(user);
  try {
    const use = () => warehouse.query(`USE DATABASE ${quoteIdentifier(database)}`);
    await use().catch(async () => {
      await warehouse.query(`CREATE DATABASE IF NOT EXISTS ${quoteIdentifier(database)}`);
      await use();
    });
    return await work(warehouse);
  } finally {
    await warehouse.close();
  }
}
