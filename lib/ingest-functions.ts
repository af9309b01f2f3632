import { Arn, ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { SourceSettings } from '../core/config/schema.js';
import { segment } from '../core/raw-bucket/layout.js';
import type { Environment } from './environments.js';
import { FirnFunction, functionName } from './firn-function.js';
import { goldWorkflowName } from './gold-workflow.js';
import { type BucketAccess, grantBucket, grantRead, grantSecrets, grantWrite } from './grants.js';
import { ingestWorkflowName } from './ingest-workflow.js';
import { Network } from './network.js';
import type { RawBucket } from './raw-bucket.js';
import { snowflakeSecretName, sourceSecretName } from './secret-names.js';
import type { StateTables } from './state-tables.js';

export interface IngestFunctionsProps {
  readonly environment: Environment;
  readonly sources: SourceSettings[];
  readonly rawBucket: RawBucket;
  readonly tables: StateTables;
  readonly failureTopic: ITopic;
  /** Name of the Glue job. @default - there is none */
  readonly extractJob?: string | undefined;
}

/** One whole processor: extraction decodes and compresses. */
const wholeProcessor = 1769;

/**
 * The functions of a run, each with what it may touch. `plan` and `extract` reach the sources, `seal` and `warehouse` reach
 * Snowflake; none reaches both.
 */
export class IngestFunctions extends Construct {
  readonly start: FirnFunction;
  readonly plan: FirnFunction;
  readonly extract: FirnFunction;
  readonly seal: FirnFunction;
  readonly warehouse: FirnFunction;
  readonly commit: FirnFunction;
  readonly onFailure: FirnFunction;

  constructor(scope: Construct, id: string, props: IngestFunctionsProps) {
    super(scope, id);
    const { environment, sources, rawBucket, tables, failureTopic, extractJob } = props;
    const { name } = environment;

    // State machines and functions ask after one another, so the names are fixed and no template refers to itself.
    const states = (resource: string, resourceName: string) =>
      Arn.format({ service: 'states', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME }, Stack.of(this));
    const ingestArn = states('stateMachine', ingestWorkflowName(name));
    const goldArn = states('stateMachine', goldWorkflowName(name));
    const ingestExecutions = states('execution', `${ingestWorkflowName(name)}:*`);
    const goldExecutions = states('execution', `${goldWorkflowName(name)}:*`);

    const variables = {
      FIRN_ENVIRONMENT: name,
      TABLE_CONFIG: tables.tableConfig.tableName,
      RUNTIME_STATE: tables.runtimeState.tableName,
      RAW_BUCKET: rawBucket.bucketName,
      INGEST_STATE_MACHINE_ARN: ingestArn,
      GOLD_STATE_MACHINE_ARN: goldArn,
    };
    const snowflake = { SNOWFLAKE_SECRET: snowflakeSecretName(name) };
    const job = extractJob && { EXTRACT_JOB: extractJob, EXTRACT_JOB_RETRIES: String(environment.retries) };
    const network = environment.vpc && new Network(this, 'Network', environment.vpc);
    const sourceSecrets = sources.map((source) => sourceSecretName(name, source));
    const data = sources.map(({ source, database }) => `${segment(source)}/${segment(database)}/*`);

    this.start = new FirnFunction(this, 'Start', {
      environment,
      name: 'start',
      description: 'Answers ingest_table, ingest_status, ingest_retry and ingest_plan',
      memorySize: 512,
      timeout: Duration.seconds(29), // API Gateway waits no longer
      variables: {
        ...variables,
        WAIT_LIMIT_SECONDS: '480',
        PLAN_FUNCTION: functionName(name, 'plan'),
        WAREHOUSE_FUNCTION: functionName(name, 'warehouse'),
      },
    });
    this.plan = new FirnFunction(this, 'Plan', {
      environment,
      network,
      name: 'plan',
      description: 'Takes the turn of a table and decides what a run reads',
      memorySize: 512,
      timeout: Duration.minutes(5),
      variables: { ...variables, ...job },
    });
    this.extract = new FirnFunction(this, 'Extract', {
      environment,
      network,
      name: 'extract',
      description: 'Reads one chunk of a table into Parquet files',
      memorySize: wholeProcessor,
      timeout: Duration.minutes(15),
      variables: { ...variables, ...job },
    });
    this.seal = new FirnFunction(this, 'Seal', {
      environment,
      name: 'seal',
      description: 'Makes the manifest of a run and registers its files',
      memorySize: 1024,
      timeout: Duration.minutes(5),
      variables: { ...variables, ...snowflake },
    });
    this.warehouse = new FirnFunction(this, 'Warehouse', {
      environment,
      name: 'warehouse',
      description: 'Has Snowflake load, merge and build, without waiting for it',
      memorySize: 1024,
      timeout: Duration.minutes(5),
      variables: { ...variables, ...snowflake },
    });
    this.commit = new FirnFunction(this, 'Commit', {
      environment,
      name: 'commit',
      description: 'Commits the watermark of a run and lets the next one go',
      memorySize: 512,
      timeout: Duration.minutes(1),
      variables,
    });
    this.onFailure = new FirnFunction(this, 'OnFailure', {
      environment,
      name: 'on-failure',
      description: 'Records a run that failed and tells whoever listens',
      memorySize: 512,
      timeout: Duration.minutes(2),
      variables: { ...variables, FAILURE_TOPIC_ARN: failureTopic.topicArn, WAREHOUSE_FUNCTION: functionName(name, 'warehouse') },
    });

    const bucketAccess: [FirnFunction, BucketAccess][] = [
      [this.start, { read: [], write: ['_logs/*'] }],
      [this.plan, { read: ['_manifests/*'], write: ['_manifests/*', '_logs/*'] }],
      [this.extract, { read: ['_manifests/*'], write: [...data, '_manifests/*', '_logs/*'] }],
      [this.seal, { read: ['_manifests/*'], write: ['_manifests/*', '_logs/*'] }],
      [this.warehouse, { read: ['_manifests/*'], write: ['_logs/*'] }],
      [this.commit, { read: ['_manifests/*'], write: ['_logs/*'] }],
      [this.onFailure, { read: [], write: ['_logs/*'] }],
    ];
    for (const [to, access] of bucketAccess) grantBucket(to, rawBucket, access);

    for (const to of [this.start, this.plan, this.extract]) grantRead(to, tables.tableConfig);
    for (const to of [this.start, this.plan, this.extract, this.seal, this.warehouse, this.commit, this.onFailure]) {
      grantWrite(to, tables.runtimeState);
      allow(to, ['states:DescribeExecution'], [ingestExecutions]);
    }

    for (const to of [this.plan, this.extract]) grantSecrets(this, to, sourceSecrets);
    for (const to of [this.seal, this.warehouse]) grantSecrets(this, to, [snowflakeSecretName(name)]);

    allow(this.start, ['states:StartExecution'], [ingestArn]);
    allow(this.start, ['states:RedriveExecution'], [ingestExecutions]);
    // A contender starts the run that was claimed before its starter died.
    allow(this.plan, ['states:StartExecution'], [ingestArn]);
    allow(this.commit, ['states:StartExecution'], [goldArn]);
    allow(this.commit, ['states:DescribeExecution'], [goldExecutions]);
    allow(this.start, ['lambda:InvokeFunction'], [this.plan.functionArn, this.warehouse.functionArn]);
    allow(this.onFailure, ['lambda:InvokeFunction'], [this.warehouse.functionArn]);
    failureTopic.grantPublish(this.onFailure);
    if (extractJob) {
      const jobArn = Arn.format({ service: 'glue', resource: 'job', resourceName: extractJob }, Stack.of(this));
      allow(this.extract, ['glue:GetJobRuns', 'glue:BatchStopJobRun'], [jobArn]);
    }
  }
}

function allow(to: IGrantable, actions: string[], resources: string[]): void {
  to.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
}
