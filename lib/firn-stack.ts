import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { SourceSettings } from '../core/config/schema.js';
import type { Environment } from './environments.js';
import { ExportWorkflow } from './export-workflow.js';
import { ExportsBucket } from './exports-bucket.js';
import { ExternalFunctionApi } from './external-function-api.js';
import { FailureNotification } from './failure-notification.js';
import { GlueExtractJob } from './glue-extract-job.js';
import { GoldWorkflow } from './gold-workflow.js';
import { IngestFunctions } from './ingest-functions.js';
import { IngestWorkflow } from './ingest-workflow.js';
import { RawBucket } from './raw-bucket.js';
import { SnowflakeBootstrap } from './snowflake-bootstrap.js';
import type { SqlBundleFile } from './sql-bundle.js';
import { StateTables } from './state-tables.js';

export interface FirnStackProps extends StackProps {
  readonly environment: Environment;
  readonly sources: SourceSettings[];
  readonly sql: SqlBundleFile;
}

/** One environment of Firn, in AWS and in Snowflake. Its secrets must have values (SecretsStack). */
export class FirnStack extends Stack {
  constructor(scope: Construct, id: string, props: FirnStackProps) {
    super(scope, id, props);
    const { environment, sources, sql } = props;

    const rawBucket = new RawBucket(this, 'RawBucket', environment);
    if (environment.raw_retention_days) rawBucket.expireData(environment.raw_retention_days, sources);
    const tables = new StateTables(this, 'State', environment);
    const topic = new Topic(this, 'FailureTopic', { displayName: `Firn ${environment.name}: failures`, enforceSSL: true });

    const settings = environment.glue;
    const job = settings && new GlueExtractJob(this, 'ExtractJob', { environment, settings, sources, rawBucket });
    const extractJob = job?.jobName;
    const functions = new IngestFunctions(this, 'Functions', { environment, sources, rawBucket, tables, failureTopic: topic, extractJob });
    const ingest = new IngestWorkflow(this, 'Ingest', { environment, functions, rawBucket, job });
    const gold = new GoldWorkflow(this, 'Gold', { environment, warehouse: functions.warehouse });
    const exportsBucket = new ExportsBucket(this, 'ExportsBucket', environment);
    const { start } = functions;
    const exports = new ExportWorkflow(this, 'Exports', { environment, exportsBucket, rawBucket, tables, start, failureTopic: topic });
    new FailureNotification(this, 'Failures', {
      ingest: ingest.stateMachine,
      gold: gold.stateMachine,
      onFailure: functions.onFailure,
      topic,
    });

    const snowflake = new SnowflakeBootstrap(this, 'Snowflake', { environment, rawBucket, exportsBucket, sql });
    const api = new ExternalFunctionApi(this, 'Api', { environment, start: functions.start, snowflakeRole: snowflake.apiRole });
    snowflake.deployObjects(api);

    const outputs = {
      RawBucket: rawBucket.bucketName,
      TableConfig: tables.tableConfig.tableName,
      RuntimeState: tables.runtimeState.tableName,
      IngestStateMachineArn: ingest.stateMachine.stateMachineArn,
      GoldStateMachineArn: gold.stateMachine.stateMachineArn,
      ExportStateMachineArn: exports.stateMachine.stateMachineArn,
      ExportsBucket: exportsBucket.bucketName,
      ApiId: api.restApi.restApiId,
      ApiUrl: api.restApi.url,
      FailureTopicArn: topic.topicArn,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, `${name}Output`, { value }).overrideLogicalId(name);
  }
}
