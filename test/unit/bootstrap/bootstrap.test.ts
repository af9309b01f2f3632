import { describe, expect, it } from 'vitest';
import { bootstrap, type ResourceEvent, type Surroundings } from '../../../core/bootstrap/bootstrap.js';
import { createLog } from '../../../core/log.js';
import { bundleSql } from '../../../sql/bundle.js';
import { bucket } from './bucket.js';
import { described, queue, type ScriptedSnowflake, snowflake } from './scripted-snowflake.js';

const secret = { account: 'org-acct', user: 'FIRN', privateKey: '…', role: 'FIRN', warehouse: 'FIRN', database: 'DEV_FIRN' };
const common = {
  Database: 'DEV_FIRN',
  Bucket: 'firn-dev-raw',
  ExportsBucket: 'firn-dev-exports',
  StorageIntegration: 'FIRN_DEV_STORAGE',
  ApiIntegration: 'FIRN_DEV_API',
};
const { STORAGE_AWS_ROLE_ARN: StorageRoleArn } = described.storage;
const integrations = { ...common, StorageRoleArn, ApiRoleArn: described.api.API_AWS_ROLE_ARN, ServiceToken: 'arn:provider' };
const objects = {
  ...common,
  ApiUrl: 'https://abc.execute-api.eu-west-1.amazonaws.com/v1/',
  RawRetentionDays: 'NULL',
  SqlChecksum: 'c',
  ServiceToken: 'arn:provider',
};
const sql = bundleSql();

const event = (type: 'Integrations' | 'Objects', RequestType: ResourceEvent['RequestType']): ResourceEvent => ({
  RequestType,
  ResourceType: `Custom::FirnSnowflake${type}`,
  RequestId: 'request-1',
  ResourceProperties: type === 'Objects' ? objects : integrations,
  ...(RequestType !== 'Create' && { PhysicalResourceId: 'there-already' }),
});

function surroundings(warehouse: ScriptedSnowflake, changes: Partial<Surroundings> = {}) {
  const { s3, state } = bucket();
  const world: Surroundings = {
    sql,
    secret: async () => secret,
    connect: async () => warehouse,
    s3,
    region: 'eu-west-1',
    pause: async () => {},
    log: createLog({}),
    ...changes,
  };
  return { world, state };
}

describe('deploying what is in Snowflake (scripted Snowflake and S3)', () => {
  it('goes in the order of what needs what', async () => {
    const warehouse = snowflake();
    const { world } = surroundings(warehouse);
    await bootstrap(event('Objects', 'Create'), world);
    const order = [
      /^USE DATABASE "DEV_FIRN"/,
      /CREATE SCHEMA IF NOT EXISTS FIRN/,
      /UPDATE FIRN.DEPLOYMENT_LOCK SET owner = \?/,
      /CREATE FILE FORMAT IF NOT EXISTS FIRN.PARQUET_FORMAT/,
      /CREATE STAGE IF NOT EXISTS FIRN.RAW_STAGE/,
      /CREATE STAGE IF NOT EXISTS FIRN.EXPORT_STAGE/,
      /ALTER API INTEGRATION FIRN_DEV_API SET API_ALLOWED_PREFIXES/,
      /CREATE OR REPLACE PROCEDURE FIRN.PREPARE_TABLE/,
      /CREATE OR REPLACE EXTERNAL FUNCTION FIRN.INGEST_TABLE/,
      /CREATE TASK IF NOT EXISTS FIRN.PRUNE_RAW/,
      /INSERT INTO FIRN.GOLD_MODELS/,
      /SET owner = NULL/,
      /^LIST @FIRN.RAW_STAGE/,
      /CREATE PIPE IF NOT EXISTS FIRN.CANARY_PIPE/,
      /^SHOW PIPES/,
    ].map((pattern) => warehouse.at(pattern));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(warehouse.closed).toBe(true);
  });

  it('leaves no placeholder, and replaces neither pipes nor stages nor integrations', async () => {
    const warehouse = snowflake();
    const { world } = surroundings(warehouse);
    await bootstrap(event('Integrations', 'Create'), world);
    await bootstrap(event('Objects', 'Create'), world);
    const without = warehouse.statements.filter((statement) => !/PROCEDURE/.test(statement));
    expect(without.filter((statement) => statement.includes('${'))).toEqual([]);
    expect(without.filter((statement) => /OR REPLACE (PIPE|STAGE|STORAGE|API)/.test(statement))).toEqual([]);
  });

  it('has the functions call the API of this deployment, and lets the integration call it', async () => {
    const warehouse = snowflake();
    const { world } = surroundings(warehouse);
    await bootstrap(event('Objects', 'Create'), world);
    const url = 'https://abc.execute-api.eu-west-1.amazonaws.com/v1';
    expect(warehouse.statements[warehouse.at(/EXTERNAL FUNCTION FIRN.INGEST_TABLE/)]).toContain(`AS '${url}/ingest'`);
    expect(warehouse.statements[warehouse.at(/API_ALLOWED_PREFIXES/)]).toContain(`('${url}/')`);
  });

  it('leaves functions alone that are as they should be: replaced, they would lose their grants', async () => {
    const held: string[] = [];
    const deploy = async (properties: object) => {
      const warehouse = snowflake()
        .when(/^SHOW EXTERNAL FUNCTIONS/, () => held.map((description) => ({ name: 'F', description })))
        .when(/EXTERNAL FUNCTION FIRN/, (statement) => {
          held.push(/COMMENT = '(.*)'/.exec(statement)![1]!);
          return [];
        });
      await bootstrap({ ...event('Objects', 'Update'), ResourceProperties: { ...objects, ...properties } }, surroundings(warehouse).world);
      return warehouse.statements.filter((statement) => /CREATE OR REPLACE EXTERNAL FUNCTION/.test(statement)).length;
    };
    expect(await deploy({})).toBe(sql.functions.length);
    expect(await deploy({})).toBe(0);
    expect(await deploy({ ApiUrl: 'https://other.execute-api.eu-west-1.amazonaws.com/v1/' })).toBe(sql.functions.length);
  });

  it('has the bucket tell the queue that the canary pipe shows', async () => {
    const { world, state } = surroundings(snowflake());
    await bootstrap(event('Objects', 'Create'), world);
    expect(state.configuration.QueueConfigurations).toMatchObject([{ Id: 'firn-snowpipe', QueueArn: queue }]);
  });

  it('waits until the role is known everywhere', async () => {
    let refusals = 3;
    const warehouse = snowflake().when(/^LIST/, () => (refusals-- > 0 ? new Error('Error assuming AWS_ROLE') : []));
    const { world, state } = surroundings(warehouse);
    await bootstrap(event('Objects', 'Create'), world);
    expect(state.configuration.QueueConfigurations).toHaveLength(1);
  });

  it('says which integration cannot read which bucket when that does not come to pass', async () => {
    const warehouse = snowflake().when(/^LIST/, new Error('Error assuming AWS_ROLE'));
    const { world, state } = surroundings(warehouse);
    await expect(bootstrap(event('Objects', 'Update'), world)).rejects.toMatchObject({
      code: 'WarehousePermissionDenied',
      message: expect.stringMatching(/FIRN_DEV_STORAGE cannot list bucket firn-dev-raw: .*Error assuming AWS_ROLE/),
    });
    expect(state.configuration).toEqual({});
  });

  it('makes the database when it is not there', async () => {
    let there = false;
    const warehouse = snowflake()
      .when(/^USE DATABASE/, () => (there ? [] : new Error('does not exist or not authorized')))
      .when(/^CREATE DATABASE/, () => {
        there = true;
        return [];
      });
    await bootstrap(event('Integrations', 'Create'), surroundings(warehouse).world);
    expect(warehouse.at(/^CREATE DATABASE IF NOT EXISTS "DEV_FIRN"/)).toBeLessThan(warehouse.at(/CREATE STORAGE INTEGRATION/));
  });
});

describe('a secret', () => {
  it("of another environment's database stops the deployment before it connects", async () => {
    const connect = () => Promise.reject(new Error('connected'));
    const { world } = surroundings(snowflake(), { connect, secret: async () => ({ ...secret, database: 'PROD_FIRN' }) });
    await expect(bootstrap(event('Integrations', 'Create'), world)).rejects.toMatchObject({
      code: 'ConfigInvalid',
      message: 'The Snowflake secret names database PROD_FIRN, config/environments.yaml DEV_FIRN.',
    });
  });

  it('without a value says what to do', async () => {
    const { world } = surroundings(snowflake(), { secret: () => Promise.reject(new Error('Secret firn/dev/snowflake is incomplete.')) });
    await expect(bootstrap(event('Integrations', 'Create'), world)).rejects.toThrow(/Put its value, then deploy again\.$/);
  });
});

describe('deleting', () => {
  const unreachable = {
    connect: () => Promise.reject(new Error('Snowflake is touched')),
    secret: () => Promise.reject(new Error('the secret is read')),
  };

  it.each(['Integrations', 'Objects'] as const)('%s leaves Snowflake alone', async (type) => {
    const { world } = surroundings(snowflake(), unreachable);
    expect(await bootstrap(event(type, 'Delete'), world)).toEqual({ PhysicalResourceId: 'there-already' });
  });

  it('takes the notification of the bucket with it', async () => {
    const { world, state } = surroundings(snowflake());
    await bootstrap(event('Objects', 'Create'), world);
    await bootstrap(event('Objects', 'Delete'), world);
    expect(state.configuration).toEqual({ QueueConfigurations: [] });
  });

  it('does not fail when the bucket is gone', async () => {
    const s3 = { send: () => Promise.reject(new Error('NoSuchBucket')) } as never;
    const { world } = surroundings(snowflake(), { ...unreachable, s3 });
    expect(await bootstrap(event('Objects', 'Delete'), world)).toEqual({ PhysicalResourceId: 'there-already' });
  });
});

it('updating keeps the identity of a resource, so CloudFormation never deletes it as replaced', async () => {
  for (const type of ['Integrations', 'Objects'] as const) {
    const { world } = surroundings(snowflake());
    const created = await bootstrap(event(type, 'Create'), world);
    const updated = await bootstrap(event(type, 'Update'), world);
    expect(updated.PhysicalResourceId).toBe(created.PhysicalResourceId);
  }
});
