import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { ArnPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { stagePrefix } from '../core/export/aside.js';
import type { Environment } from './environments.js';
import type { ExportsBucket } from './exports-bucket.js';
import type { ExternalFunctionApi } from './external-function-api.js';
import { FirnFunction } from './firn-function.js';
import { grantSecrets } from './grants.js';
import type { RawBucket } from './raw-bucket.js';
import { snowflakeSecretName } from './secret-names.js';
import type { SqlBundleFile } from './sql-bundle.js';

export interface SnowflakeBootstrapProps {
  readonly environment: Environment;
  readonly rawBucket: RawBucket;
  readonly exportsBucket: ExportsBucket;
  readonly sql: SqlBundleFile;
}

/**
 * Snowflake's half of the deployment, and the trust between the two accounts:
 * integrations that name roles which don't exist yet → those roles, trusting the users and external ids of the integrations →
 * the API, admitting one of the roles → everything in Snowflake that needs the API and the bucket.
 * Fixed names of the roles break the circle.
 */
export class SnowflakeBootstrap extends Construct {
  /** Assumed by Snowflake to read the raw bucket, and to write what it unloads. */
  readonly storageRole: Role;
  /** Assumed by Snowflake to call the API. */
  readonly apiRole: Role;
  private readonly provider: Provider;
  private readonly fixed: Record<string, string>;
  private readonly bootstrap: FirnFunction;
  private readonly sqlChecksum: string;
  private readonly retention: string;

  constructor(scope: Construct, id: string, { environment, rawBucket, exportsBucket, sql }: SnowflakeBootstrapProps) {
    super(scope, id);
    const { name } = environment;
    this.sqlChecksum = sql.checksum;
    this.retention = String(environment.raw_retention_days ?? 'NULL');
    const storageRoleName = `firn-${name}-snowflake-storage`;
    const apiRoleName = `firn-${name}-snowflake-api`;
    const roleArn = (resourceName: string) => Stack.of(this).formatArn({ service: 'iam', region: '', resource: 'role', resourceName });

    this.bootstrap = new FirnFunction(this, 'Function', {
      environment,
      name: 'snowflake-bootstrap',
      description: "Makes Snowflake's half of the deployment",
      memorySize: 1024,
      timeout: Duration.minutes(14),
      variables: { FIRN_ENVIRONMENT: name, SNOWFLAKE_SECRET: snowflakeSecretName(name) },
      commandHooks: {
        beforeBundling: () => [],
        beforeInstall: () => [],
        afterBundling: (_input, output) => [`cp ${quote(sql.path)} ${quote(`${output}/sql.json`)}`],
      },
    });
    grantSecrets(this, this.bootstrap, [snowflakeSecretName(name)]);
    this.bootstrap.addToRolePolicy(
      new PolicyStatement({
        actions: ['s3:GetBucketNotification', 's3:PutBucketNotification'],
        resources: [rawBucket.bucketArn],
      }),
    );
    this.provider = new Provider(this, 'Provider', { onEventHandler: this.bootstrap });

    this.fixed = {
      Database: environment.snowflake.database,
      Bucket: rawBucket.bucketName,
      ExportsBucket: exportsBucket.bucketName,
      StorageIntegration: `FIRN_${name.toUpperCase()}_STORAGE`,
      ApiIntegration: `FIRN_${name.toUpperCase()}_API`,
    };
    const integrations = this.customResource('Integrations', {
      ...this.fixed,
      StorageRoleArn: roleArn(storageRoleName),
      ApiRoleArn: roleArn(apiRoleName),
    });
    const trusted = (user: string, externalId: string) =>
      new ArnPrincipal(integrations.getAttString(user)).withConditions({
        StringEquals: { 'sts:ExternalId': integrations.getAttString(externalId) },
      });

    this.storageRole = new Role(this, 'StorageRole', {
      roleName: storageRoleName,
      description: 'Assumed by Snowflake to read the raw bucket and to write what it unloads',
      assumedBy: trusted('StorageUserArn', 'StorageExternalId'),
    });
    this.storageRole.addToPolicy(
      new PolicyStatement({ actions: ['s3:GetObject', 's3:GetObjectVersion'], resources: [rawBucket.arnForObjects('*')] }),
    );
    this.storageRole.addToPolicy(
      new PolicyStatement({ actions: ['s3:ListBucket', 's3:GetBucketLocation'], resources: [rawBucket.bucketArn] }),
    );
    // Unloading replaces and removes what it has written itself.
    this.storageRole.addToPolicy(
      new PolicyStatement({
        actions: ['s3:PutObject', 's3:GetObject', 's3:GetObjectVersion', 's3:DeleteObject', 's3:DeleteObjectVersion'],
        resources: [exportsBucket.arnForObjects(`${stagePrefix}*`)],
      }),
    );
    this.storageRole.addToPolicy(new PolicyStatement({ actions: ['s3:GetBucketLocation'], resources: [exportsBucket.bucketArn] }));
    this.storageRole.addToPolicy(
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [exportsBucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': [`${stagePrefix}*`] } },
      }),
    );
    this.apiRole = new Role(this, 'ApiRole', {
      roleName: apiRoleName,
      description: "Assumed by Snowflake to call Firn's API, which admits it by its resource policy",
      assumedBy: trusted('ApiUserArn', 'ApiExternalId'),
    });
  }

  /** Everything in Snowflake that needs the roles, the bucket and the API. */
  deployObjects({ restApi }: ExternalFunctionApi): void {
    const objects = this.customResource('Objects', {
      ...this.fixed,
      ApiUrl: restApi.url,
      RawRetentionDays: this.retention,
      SqlChecksum: this.sqlChecksum,
    });
    objects.node.addDependency(this.storageRole, this.apiRole, restApi);
  }

  private customResource(id: 'Integrations' | 'Objects', properties: Record<string, string>): CustomResource {
    const resource = new CustomResource(this, id, {
      resourceType: `Custom::FirnSnowflake${id}`,
      serviceToken: this.provider.serviceToken,
      properties,
      serviceTimeout: Duration.minutes(20),
    });
    // The function needs its rights for as long as the resource lives, deletion included.
    resource.node.addDependency(this.bootstrap);
    return resource;
  }
}

const quote = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;
