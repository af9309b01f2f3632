import { afterAll, beforeAll, expect, it } from 'vitest';
import { deployFunctions } from '../../../core/bootstrap/external-functions.js';
import { bundleSql } from '../../../sql/bundle.js';
import { renderSql } from '../../../sql/statements.js';
import { type LocalSnowflake, startLocalSnowflake } from '../sql/local-snowflake.js';

const bundle = bundleSql();
const values = {
  apiIntegration: 'FIRN_DEV_API',
  apiRoleArn: 'arn:aws:iam::111122223333:role/firn-dev-snowflake-api',
  apiUrl: 'https://abc.execute-api.eu-west-1.amazonaws.com/v1',
};

let snowflake: LocalSnowflake;
beforeAll(async () => {
  snowflake = await startLocalSnowflake();
  await snowflake.warehouse.query(renderSql(bundle.setup.apiIntegration, values));
  await snowflake.warehouse.query(renderSql(bundle.setup.apiPrefix, values));
});
afterAll(() => snowflake?.stop());

it('creates the functions that are missing or changed, and no other (local Snowflake)', async () => {
  const deploy = () => deployFunctions(snowflake.warehouse, bundle.functions, values);
  expect(await deploy()).toEqual(bundle.functions.map(({ name }) => name));
  expect(await deploy()).toEqual([]);
  await snowflake.warehouse.query('DROP FUNCTION FIRN.INGEST_STATUS(VARCHAR)');
  expect(await deploy()).toEqual(['INGEST_STATUS']);
});
