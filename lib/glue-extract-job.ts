import { Stack } from 'aws-cdk-lib';
import { CfnConnection, CfnJob } from 'aws-cdk-lib/aws-glue';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import type { SourceSettings } from '../core/config/schema.js';
import { segment } from '../core/raw-bucket/layout.js';
import type { Environment, GlueSettings, NetworkSettings } from './environments.js';
import { projectPath } from './firn-function.js';
import { grantBucket, grantSecrets } from './grants.js';
import type { RawBucket } from './raw-bucket.js';
import { sourceSecretName } from './secret-names.js';

export interface GlueExtractJobProps {
  readonly environment: Environment;
  readonly settings: GlueSettings;
  readonly sources: SourceSettings[];
  readonly rawBucket: RawBucket;
}

/** Known before it exists: a function and the state machine ask after its runs. */
export const extractJobName = (environment: string): string => `firn-${environment}-extract`;

/** The Spark job that reads tables too large for Lambda. It costs nothing while it does not run. */
export class GlueExtractJob extends Construct {
  readonly jobName: string;
  /** Minutes. */
  readonly timeout: number;

  constructor(scope: Construct, id: string, { environment, settings, sources, rawBucket }: GlueExtractJobProps) {
    super(scope, id);
    const { name, vpc } = environment;
    this.jobName = extractJobName(name);
    this.timeout = settings.timeout_minutes;
    const script = new Asset(this, 'Script', { path: projectPath('glue-scripts/extract_table.py') });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('glue.amazonaws.com') });
    const connection = vpc && this.connect(role, name, vpc, settings);

    script.grantRead(role);
    const data = sources.map(({ source, database }) => `${segment(source)}/${segment(database)}/*`);
    grantBucket(role, rawBucket, { read: ['_manifests/*'], write: [...data, '_manifests/*', '_logs/*'] });
    grantSecrets(
      this,
      role,
      sources.map((source) => sourceSecretName(name, source)),
    );
    const { partition, region, account } = Stack.of(this);
    const logs = `arn:${partition}:logs:${region}:${account}:log-group:/aws-glue/`;
    allow(role, ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], [`${logs}*`]);
    role.addToPolicy(
      new PolicyStatement({
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': 'Glue' } },
      }),
    );

    const job = new CfnJob(this, 'Job', {
      name: this.jobName,
      description: 'Reads tables that are too large for Lambda into Parquet files',
      role: role.roleArn,
      glueVersion: '5.0',
      workerType: settings.worker_type,
      numberOfWorkers: settings.workers,
      timeout: settings.timeout_minutes,
      // Step Functions runs it again, and only a job without retries may queue.
      maxRetries: 0,
      jobRunQueuingEnabled: true,
      executionProperty: { maxConcurrentRuns: settings.max_concurrent_runs },
      command: { name: 'glueetl', pythonVersion: '3', scriptLocation: script.s3ObjectUrl },
      defaultArguments: { '--region': region, '--enable-metrics': 'true' },
      ...(connection && { connections: { connections: [connection] } }),
    });
    // A run that begins at once must find its rights.
    job.node.addDependency(role);
  }

  /** Puts the job's workers into the network of the sources. Glue makes an interface for each, by the rights of the role. */
  private connect(role: Role, environment: string, vpc: NetworkSettings, settings: GlueSettings): string {
    const name = `firn-${environment}-sources`;
    const { region, account, partition } = Stack.of(this);
    new CfnConnection(this, 'Connection', {
      catalogId: account,
      connectionInput: {
        name,
        description: 'The network of the sources',
        connectionType: 'NETWORK',
        physicalConnectionRequirements: {
          subnetId: vpc.subnets[0],
          availabilityZone: settings.availability_zone,
          securityGroupIdList: vpc.security_groups,
        },
      },
    });
    const glue = `arn:${partition}:glue:${region}:${account}`;
    allow(role, ['glue:GetConnection'], [`${glue}:catalog`, `${glue}:connection/${name}`]);
    const look = ['DescribeVpcEndpoints', 'DescribeRouteTables', 'DescribeSubnets', 'DescribeSecurityGroups', 'DescribeVpcAttribute'];
    allow(role, [...look, 'DescribeNetworkInterfaces', 'CreateNetworkInterface', 'DeleteNetworkInterface'].map(ec2), ['*']);
    role.addToPolicy(
      new PolicyStatement({
        actions: ['ec2:CreateTags', 'ec2:DeleteTags'],
        resources: [`arn:${partition}:ec2:${region}:${account}:network-interface/*`],
        conditions: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['aws-glue-service-resource'] } },
      }),
    );
    return name;
  }
}

const ec2 = (action: string): string => `ec2:${action}`;

function allow(role: Role, actions: string[], resources: string[]): void {
  role.addToPolicy(new PolicyStatement({ effect: Effect.ALLOW, actions, resources }));
}
