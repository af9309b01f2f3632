import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { expiryAttribute } from '../../../core/state/runtime-state.js';
import { dev, prod, stacks, templateOf } from './stacks.js';

const [inDev, inProd] = [stacks(dev), stacks(prod)];
const [devTemplate, prodTemplate] = [templateOf(inDev.firn), templateOf(inProd.firn)];

describe('the raw bucket', () => {
  it('is encrypted, closed to the public and to plain HTTP, and forgets uploads that were given up', () => {
    devTemplate.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      LifecycleConfiguration: {
        Rules: [{ Id: 'abandoned-uploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }],
      },
    });
    devTemplate.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })]),
      },
    });
  });

  it('has a name that a new deployment of the environment has again', () => {
    prodTemplate.hasResourceProperties('AWS::S3::Bucket', { BucketName: 'firn-prod-raw-123456789012-eu-west-1' });
  });
});

it('what is going on expires, what is configured does not', () => {
  const tables = Object.entries(devTemplate.findResources('AWS::DynamoDB::Table'));
  const expiry = Object.fromEntries(
    tables.map(([id, { Properties }]) => [/TableConfig|RuntimeState/.exec(id)![0], Properties.TimeToLiveSpecification]),
  );
  expect(expiry).toEqual({ TableConfig: undefined, RuntimeState: { AttributeName: expiryAttribute, Enabled: true } });
  for (const [, { Properties }] of tables) {
    expect(Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  }
});

describe('deleting the stacks', () => {
  const kept = (template: typeof devTemplate, type: string) =>
    Object.values(template.findResources(type)).map(({ DeletionPolicy }) => DeletionPolicy);

  it.each(['AWS::S3::Bucket', 'AWS::DynamoDB::Table'])('of dev deletes each %s, of prod none', (type) => {
    expect(new Set(kept(devTemplate, type))).toEqual(new Set(['Delete']));
    expect(new Set(kept(prodTemplate, type))).toEqual(new Set(['Retain']));
  });

  it('of dev deletes the secrets, of prod none', () => {
    expect(new Set(kept(templateOf(inDev.secrets), 'AWS::SecretsManager::Secret'))).toEqual(new Set(['Delete']));
    expect(new Set(kept(templateOf(inProd.secrets), 'AWS::SecretsManager::Secret'))).toEqual(new Set(['Retain']));
  });

  it('of prod stops at tables that are protected', () => {
    prodTemplate.allResourcesProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: true });
  });
});

describe('the secrets', () => {
  const secrets = Object.values(templateOf(inDev.secrets).findResources('AWS::SecretsManager::Secret'));

  it('are one for Snowflake and one for each source that names none of its own', () => {
    expect(secrets.map(({ Properties }) => Properties.Name).sort()).toEqual(['firn/dev/PostgreSQL/clr', 'firn/dev/snowflake']);
  });

  it('have no value in the template, not even a random one', () => {
    for (const { Properties } of secrets) expect(Object.keys(Properties).sort()).toEqual(['Description', 'Name']);
  });
});
