import { Arn, ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import {
  Choice,
  Condition,
  DefinitionBody,
  JsonPath,
  LogLevel,
  Map as MapState,
  Pass,
  StateMachine,
  Succeed,
  TaskInput,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { stagePrefix } from '../core/export/aside.js';
import { exportPrefix } from '../core/export/schema.js';
import type { Environment } from './environments.js';
import type { ExportsBucket } from './exports-bucket.js';
import { FirnFunction } from './firn-function.js';
import { FunctionTask } from './function-task.js';
import { grantBucket, grantRead, grantSecrets, grantWrite } from './grants.js';
import { ingestWorkflowName } from './ingest-workflow.js';
import { patientWait } from './patient-wait.js';
import type { RawBucket } from './raw-bucket.js';
import { snowflakeSecretName } from './secret-names.js';
import type { StateTables } from './state-tables.js';

export interface ExportWorkflowProps {
  readonly environment: Environment;
  readonly exportsBucket: ExportsBucket;
  readonly rawBucket: RawBucket;
  readonly tables: StateTables;
  /** Answers export_tables: it starts the executions. */
  readonly start: FirnFunction;
  readonly failureTopic: ITopic;
}

/** How many exports of a call are unloaded at once. */
const exportsAtOnce = 4;
/** Seconds between two looks at a statement, at most: the looks of hours of four exports must not fill the execution's history. */
const longestPause = 300;

export const exportWorkflowName = (environment: string): string => `firn-${environment}-export`;

/**
 * The exports of one call; states and payloads: docs/exports.md. Each export ends well, as far as the Map is concerned, so that one that
 * fails leaves the others alone. Only Pick fails the execution, once all have ended: a redrive runs Pick again, which sees that it is
 * another attempt and picks what failed.
 */
export class ExportWorkflow extends Construct {
  readonly stateMachine: StateMachine;
  readonly function: FirnFunction;

  constructor(scope: Construct, id: string, props: ExportWorkflowProps) {
    super(scope, id);
    const { environment, exportsBucket, rawBucket, tables, start, failureTopic } = props;
    const { name } = environment;
    const arn = (resource: string, resourceName: string) =>
      Arn.format({ service: 'states', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME }, Stack.of(this));
    const machineArn = arn('stateMachine', exportWorkflowName(name));

    this.function = new FirnFunction(this, 'Export', {
      environment,
      name: 'export',
      description: 'Has Snowflake unload tables, and brings what it wrote to its place',
      memorySize: 512,
      timeout: Duration.minutes(10), // S3 copies 5 GB within minutes
      variables: {
        FIRN_ENVIRONMENT: name,
        TABLE_CONFIG: tables.tableConfig.tableName,
        RUNTIME_STATE: tables.runtimeState.tableName,
        RAW_BUCKET: rawBucket.bucketName,
        EXPORTS_BUCKET: exportsBucket.bucketName,
        INGEST_STATE_MACHINE_ARN: arn('stateMachine', ingestWorkflowName(name)),
        SNOWFLAKE_SECRET: snowflakeSecretName(name),
      },
    });
    const everything = [`${exportPrefix}*`, `${stagePrefix}*`];
    grantBucket(this.function, exportsBucket, { read: everything, write: [`${exportPrefix}*`] });
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['s3:DeleteObject'], resources: everything.map((keys) => exportsBucket.arnForObjects(keys)) }),
    );
    grantRead(this.function, tables.tableConfig);
    grantWrite(this.function, tables.runtimeState);
    grantSecrets(this, this.function, [snowflakeSecretName(name)]);

    start.addEnvironment('EXPORT_STATE_MACHINE_ARN', machineArn);
    start.addEnvironment('EXPORTS_BUCKET', exportsBucket.bucketName);
    const allow = (actions: string[], resource: string) => start.addToRolePolicy(new PolicyStatement({ actions, resources: [resource] }));
    allow(['states:StartExecution'], machineArn);
    allow(['states:DescribeExecution'], arn('execution', `${exportWorkflowName(name)}:*`));

    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: exportWorkflowName(name),
      comment: 'Unloads tables from Snowflake to S3',
      definitionBody: DefinitionBody.fromChainable(this.definition(environment)),
      tracingEnabled: true,
      logs: {
        level: LogLevel.ALL,
        includeExecutionData: true,
        destination: new LogGroup(this, 'Log', {
          logGroupName: `/aws/vendedlogs/states/${Stack.of(this).stackName}-export`,
          retention: RetentionDays.THREE_MONTHS,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
    new Rule(this, 'Failed', {
      description: 'Exports have failed',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { stateMachineArn: [this.stateMachine.stateMachineArn], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      targets: [new SnsTopic(failureTopic, { message: RuleTargetInput.fromEventPath('$.detail') })],
    });
  }

  private definition({ retries }: Environment) {
    const execution = JsonPath.objectAt('$$.Execution');
    const exportId = JsonPath.stringAt('$.exportId');
    const one = { exportId, index: JsonPath.numberAt('$.index') };
    const task = (id: string, payload: Record<string, unknown>, answer?: { path: string; fields: string[] }) =>
      new FunctionTask(this, id, { lambdaFunction: this.function, payload: TaskInput.fromObject(payload), retries, answer });

    const unload = task('Unload', { action: 'unload', ...one });
    const awaitUnload = task('AwaitUnload', { action: 'await-unload', ...one }, { path: '$.unloaded', fields: ['done'] });
    const publish = task('Publish', { action: 'publish', ...one });
    const note = task('Note', { action: 'note', ...one, execution, failure: JsonPath.objectAt('$.failure') });
    for (const state of [unload, awaitUnload, publish]) state.addCatch(note, { errors: ['States.ALL'], resultPath: '$.failure' });
    const wait = patientWait(this, 'WaitForUnload', longestPause);
    const exported = new Pass(this, 'Exported');
    unload.next(wait).next(awaitUnload);
    awaitUnload.next(new Choice(this, 'Unloaded?').when(Condition.booleanEquals('$.unloaded.done', true), publish).otherwise(wait));
    publish.next(exported);
    note.next(exported);

    const pick = task('Pick', { action: 'pick', exportId, execution }, { path: '$.picked', fields: ['pending', 'any'] });
    const exportAll = new MapState(this, 'ExportAll', {
      itemsPath: '$.picked.pending',
      itemSelector: { exportId, index: JsonPath.numberAt('$$.Map.Item.Value') },
      maxConcurrency: exportsAtOnce,
      resultPath: JsonPath.DISCARD,
    }).itemProcessor(unload);
    exportAll.next(pick);
    pick.next(new Choice(this, 'Any?').when(Condition.booleanEquals('$.picked.any', true), exportAll).otherwise(new Succeed(this, 'Done')));
    return pick;
  }
}
