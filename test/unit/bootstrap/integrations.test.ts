import { describe, expect, it } from 'vitest';
import { deployIntegrations } from '../../../core/bootstrap/integrations.js';
import { bundleSql } from '../../../sql/bundle.js';
import { described, properties, snowflake } from './scripted-snowflake.js';

const { setup } = bundleSql();
const wanted = {
  Database: 'DEV_FIRN',
  Bucket: 'firn-dev-raw',
  ExportsBucket: 'firn-dev-exports',
  StorageIntegration: 'FIRN_DEV_STORAGE',
  ApiIntegration: 'FIRN_DEV_API',
  StorageRoleArn: described.storage.STORAGE_AWS_ROLE_ARN,
  ApiRoleArn: described.api.API_AWS_ROLE_ARN,
};
const deploy = (warehouse: ReturnType<typeof snowflake>) => deployIntegrations(warehouse, setup, wanted, 'eu-west-1');

describe('the integrations (scripted Snowflake)', () => {
  it('answer with whom the roles have to trust', async () => {
    expect(await deploy(snowflake())).toEqual({
      StorageUserArn: 'arn:aws:iam::999999999999:user/storage',
      StorageExternalId: 'storage-id',
      ApiUserArn: 'arn:aws:iam::999999999999:user/api',
      ApiExternalId: 'api-id',
    });
  });

  it('are never replaced, because the external id would change, and not touched when nothing has changed', async () => {
    const warehouse = snowflake();
    await deploy(warehouse);
    expect(warehouse.ran(/CREATE STORAGE INTEGRATION IF NOT EXISTS FIRN_DEV_STORAGE/)).toBe(true);
    expect(warehouse.ran(/CREATE API INTEGRATION IF NOT EXISTS FIRN_DEV_API/)).toBe(true);
    expect(warehouse.ran(/OR REPLACE (STORAGE|API)|^ALTER/)).toBe(false);
  });

  it.each([
    [
      'another bucket',
      'STORAGE',
      { ...described.storage, STORAGE_ALLOWED_LOCATIONS: 's3://firn-old/' },
      /STORAGE_ALLOWED_LOCATIONS = \('s3:\/\/firn-dev-raw\/', 's3:\/\/firn-dev-exports\/unload\/'\)/,
    ],
    [
      'a role of another account',
      'STORAGE',
      { ...described.storage, STORAGE_AWS_ROLE_ARN: 'arn:aws:iam::1:role/x' },
      /STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::123456789012/,
    ],
    [
      'a role of another account',
      'API',
      { ...described.api, API_AWS_ROLE_ARN: 'arn:aws:iam::1:role/x' },
      /API_AWS_ROLE_ARN = 'arn:aws:iam::123456789012/,
    ],
  ])('that name %s are turned to this deployment (%s)', async (_, kind, shown, change) => {
    const warehouse = snowflake().when(new RegExp(`^DESC INTEGRATION FIRN_DEV_${kind}$`), properties(shown));
    await deploy(warehouse);
    expect(warehouse.statements[warehouse.at(/^ALTER/)]).toMatch(change);
    expect(warehouse.statements.filter((sql) => sql.startsWith('ALTER'))).toHaveLength(1);
  });

  it('that show no external id stop the deployment', async () => {
    const { STORAGE_AWS_EXTERNAL_ID: _, ...shown } = described.storage;
    const warehouse = snowflake().when(/^DESC INTEGRATION FIRN_DEV_STORAGE$/, properties(shown));
    await expect(deploy(warehouse)).rejects.toMatchObject({
      message: 'DESC INTEGRATION FIRN_DEV_STORAGE shows no STORAGE_AWS_EXTERNAL_ID',
    });
  });
});
