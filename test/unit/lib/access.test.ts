import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { dev, functionNames, grantsOf, prod, stacks, templateOf, text } from './stacks.js';

const template = templateOf(stacks(dev).firn);

const secretsOf = (name: string): string[] =>
  grantsOf(template, name)
    .filter(({ actions }) => actions.includes('secretsmanager:GetSecretValue'))
    .flatMap(({ resources }) => resources)
    .map((arn) => /secret:(.*)-\?{6}$/.exec(arn)![1]!)
    .sort();

const clr = 'firn/dev/PostgreSQL/clr';
const crm = 'teams/crm/reader';
const snowflake = 'firn/dev/snowflake';

describe('which function may read which secret', () => {
  it.each([
    ['start', []],
    ['plan', [clr, crm]],
    ['extract', [clr, crm]],
    ['seal', [snowflake]],
    ['warehouse', [snowflake]],
    ['commit', []],
    ['export', [snowflake]],
    ['on-failure', []],
    ['snowflake-bootstrap', [snowflake]],
  ])('%s', (name, expected) => {
    expect(secretsOf(name)).toEqual(expected);
  });

  it('none reaches a source and Snowflake', () => {
    const both = functionNames.filter((name) => secretsOf(name).includes(snowflake) && secretsOf(name).length > 1);
    expect(both).toEqual([]);
  });
});

const isExports = (arn: string): boolean => arn.startsWith('{ExportsBucket');

describe('which function may do what to the raw bucket', () => {
  const keys = (name: string, action: string): string[] =>
    grantsOf(template, name)
      .filter(({ actions }) => actions.includes(action))
      .flatMap(({ resources }) => resources)
      .filter((arn) => !isExports(arn))
      .map((arn) => arn.slice(arn.indexOf('/') + 1))
      .sort();
  const manifests = '_manifests/*';
  const logs = '_logs/*';

  it.each([
    ['start', [], [logs]],
    ['plan', [manifests], [logs, manifests]],
    ['extract', [manifests], ['PostgreSQL/clr/*', 'PostgreSQL/crm/*', logs, manifests]],
    ['seal', [manifests], [logs, manifests]],
    ['warehouse', [manifests], [logs]],
    ['commit', [manifests], [logs]],
    ['export', [], []],
    ['on-failure', [], [logs]],
    ['snowflake-bootstrap', [], []],
  ])('%s', (name, read, write) => {
    expect(keys(name, 's3:GetObject')).toEqual(read);
    expect(keys(name, 's3:PutObject')).toEqual(write);
  });

  it('none may delete an object', () => {
    const deleting = functionNames.filter((name) =>
      grantsOf(template, name).some(
        ({ actions, resources }) => actions.some((action) => /^s3:Delete/.test(action)) && !resources.every(isExports),
      ),
    );
    expect(deleting).toEqual([]);
  });
});

describe('rights', () => {
  it('name their actions; only tracing stands on every resource', () => {
    const wide = functionNames.flatMap((name) =>
      grantsOf(template, name).filter(
        ({ actions, resources }) => actions.some((action) => action.endsWith('*')) || resources.includes('*'),
      ),
    );
    expect(new Set(wide.flatMap(({ actions }) => actions))).toEqual(new Set(['xray:PutTelemetryRecords', 'xray:PutTraceSegments']));
  });

  it('to configure tables belong to none of the functions', () => {
    const writers = functionNames.filter((name) =>
      grantsOf(template, name).some(
        ({ actions, resources }) => actions.includes('dynamodb:PutItem') && resources.some((arn) => arn.includes('TableConfig')),
      ),
    );
    expect(writers).toEqual([]);
  });
});

describe('what Snowflake may do', () => {
  it('reads the raw bucket, as the user and with the external id that its integration shows', () => {
    template.hasResourceProperties('AWS::IAM::Role', {
      RoleName: 'firn-dev-snowflake-storage',
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Action: 'sts:AssumeRole',
            Effect: 'Allow',
            Principal: { AWS: { 'Fn::GetAtt': [Match.stringLikeRegexp('SnowflakeIntegrations'), 'StorageUserArn'] } },
            Condition: {
              StringEquals: { 'sts:ExternalId': { 'Fn::GetAtt': [Match.stringLikeRegexp('SnowflakeIntegrations'), 'StorageExternalId'] } },
            },
          },
        ],
      },
    });
    const policies = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) =>
      Properties.Roles.some((role: { Ref: string }) => role.Ref.includes('StorageRole')),
    );
    const statements = policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
    const actionsOn = (bucket: string) =>
      statements.filter(({ Resource }) => text(Resource).startsWith(`{${bucket}`)).flatMap(({ Action }) => Action);
    expect(actionsOn('RawBucket').sort()).toEqual(['s3:GetBucketLocation', 's3:GetObject', 's3:GetObjectVersion', 's3:ListBucket']);
    const writing = statements.filter(({ Action }) => [Action].flat().some((action) => /^s3:(Put|Delete)/.test(action)));
    expect(writing.map(({ Resource }) => text(Resource))).toEqual([expect.stringMatching(/^\{ExportsBucket\w+\.Arn\}\/unload\/\*$/)]);
  });

  it('knows the roles by names that stand before they exist', () => {
    const [integrations] = Object.values(template.findResources('Custom::FirnSnowflakeIntegrations'));
    expect(text(integrations!.Properties.StorageRoleArn)).toBe(
      'arn:{AWS::Partition}:iam::{AWS::AccountId}:role/firn-dev-snowflake-storage',
    );
    expect(text(integrations!.Properties.ApiRoleArn)).toBe('arn:{AWS::Partition}:iam::{AWS::AccountId}:role/firn-dev-snowflake-api');
  });
});

describe('the network of the sources', () => {
  it('is joined by the functions that read them and by no other', () => {
    const functions = Object.values(templateOf(stacks(prod).firn).findResources('AWS::Lambda::Function'));
    const joined = functions.filter(({ Properties }) => Properties.VpcConfig).map(({ Properties }) => Properties.FunctionName);
    expect(joined.sort()).toEqual(['firn-prod-extract', 'firn-prod-plan']);
    expect(functions.find(({ Properties }) => Properties.FunctionName === 'firn-prod-plan')!.Properties.VpcConfig).toEqual({
      SecurityGroupIds: ['sg-0123456789abcdef0'],
      SubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
    });
  });
});
