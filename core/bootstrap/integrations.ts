import { isDeepStrictEqual } from 'node:util';
import type { SqlBundle } from '../../sql/bundle.js';
import { renderSql } from '../../sql/statements.js';
import { FirnError } from '../errors.js';
import { stagePrefix } from '../export/aside.js';
import { quoteLiteral } from '../warehouse/identifiers.js';
import type { Warehouse } from '../warehouse/snowflake.js';
import type { IntegrationsProperties } from './properties.js';

/** Who will assume the two roles, for their trust policies: an IAM user of Snowflake's account and the external id that it will show. */
export interface Trust {
  StorageUserArn: string;
  StorageExternalId: string;
  ApiUserArn: string;
  ApiExternalId: string;
}

/**
 * Makes the two integrations, or turns those that are there to the roles and the bucket given. They are never replaced: a new one has
 * another external id.
 *
 * @param region only to name a host that the API integration may call until the API exists
 */
export async function deployIntegrations(
  warehouse: Warehouse,
  setup: SqlBundle['setup'],
  properties: IntegrationsProperties,
  region: string,
): Promise<Trust> {
  const { StorageIntegration, ApiIntegration, StorageRoleArn, ApiRoleArn, Bucket, ExportsBucket } = properties;
  const values = {
    storageIntegration: StorageIntegration,
    storageRoleArn: StorageRoleArn,
    bucket: Bucket,
    exportsBucket: ExportsBucket,
    apiIntegration: ApiIntegration,
    apiRoleArn: ApiRoleArn,
    apiUrl: `https://none.execute-api.${region}.amazonaws.com/none`,
  };
  await warehouse.query(renderSql(setup.storageIntegration, values));
  await warehouse.query(renderSql(setup.apiIntegration, values));

  const wanted = [`s3://${Bucket}/`, `s3://${ExportsBucket}/${stagePrefix}`];
  const storage = await describe(warehouse, StorageIntegration);
  const allowed = (storage.get('STORAGE_ALLOWED_LOCATIONS') ?? '').split(',').map((location) => location.trim());
  if (storage.get('STORAGE_AWS_ROLE_ARN') !== StorageRoleArn || !isDeepStrictEqual(allowed.sort(), wanted.toSorted())) {
    const role = quoteLiteral(StorageRoleArn);
    const locations = wanted.map(quoteLiteral).join(', ');
    await warehouse.query(
      `ALTER STORAGE INTEGRATION ${StorageIntegration} SET STORAGE_AWS_ROLE_ARN = ${role} STORAGE_ALLOWED_LOCATIONS = (${locations})`,
    );
  }
  const api = await describe(warehouse, ApiIntegration);
  if (api.get('API_AWS_ROLE_ARN') !== ApiRoleArn) {
    await warehouse.query(`ALTER API INTEGRATION ${ApiIntegration} SET API_AWS_ROLE_ARN = ${quoteLiteral(ApiRoleArn)}`);
  }
  return {
    StorageUserArn: required(storage, StorageIntegration, 'STORAGE_AWS_IAM_USER_ARN'),
    StorageExternalId: required(storage, StorageIntegration, 'STORAGE_AWS_EXTERNAL_ID'),
    ApiUserArn: required(api, ApiIntegration, 'API_AWS_IAM_USER_ARN'),
    ApiExternalId: required(api, ApiIntegration, 'API_AWS_EXTERNAL_ID'),
  };
}

/** Properties by name. Lists are text with commas. */
async function describe(warehouse: Warehouse, integration: string): Promise<Map<string, string>> {
  const rows = await warehouse.query(`DESC INTEGRATION ${integration}`);
  return new Map(rows.map((row) => [String(row.property).toUpperCase(), String(row.property_value)]));
}

function required(properties: Map<string, string>, integration: string, property: string): string {
  const value = properties.get(property);
  if (!value) throw new FirnError('WarehouseStatementFailed', `DESC INTEGRATION ${integration} shows no ${property}`);
  return value;
}
