import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  Choice,
  Condition,
  DefinitionBody,
  JitterType,
  JsonPath,
  LogLevel,
  StateMachine,
  Succeed,
  TaskInput,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { EventBridgePutEvents } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { Environment } from './environments.js';
import type { FirnFunction } from './firn-function.js';
import { FunctionTask } from './function-task.js';
import { patientWait } from './patient-wait.js';

export interface GoldWorkflowProps {
  readonly environment: Environment;
  readonly warehouse: FirnFunction;
}

export const goldWorkflowName = (environment: string): string => `firn-${environment}-gold`;

/** `detail-type` of the event that `after_run: dbt` sends to the account's default event bus; its source is `firn`. */
export const tablesChanged = 'Firn tables changed';

/**
 * Rebuilds the models whose inputs changed. One execution drains all that runs have changed meanwhile;
 * it may fail without harm to any run: the next run starts another.
 */
export class GoldWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { environment, warehouse }: GoldWorkflowProps) {
    super(scope, id);
    const execution = JsonPath.stringAt('$$.Execution.Id');
    const task = (name: string, payload: Record<string, unknown>, answer: { path: string; fields: string[] }) =>
      new FunctionTask(this, name, {
        lambdaFunction: warehouse,
        payload: TaskInput.fromObject({ ...payload, execution }),
        retries: environment.retries,
        answer,
      });

    // Runs of many tables end together: one build for all of them.
    const settle = new Wait(this, 'Settle', { time: WaitTime.duration(Duration.seconds(4)) });
    const drain = task('Drain', { action: 'gold-drain' }, { path: '$.drain', fields: ['build', 'notify', 'forDbt', 'counter'] });
    const counter = JsonPath.numberAt('$.drain.counter');
    const build = task('Build', { action: 'gold-build', counter }, { path: '$.build', fields: ['queryId'] });
    const await_ = task(
      'AwaitBuild',
      { action: 'gold-await', counter, queryId: JsonPath.stringAt('$.build.queryId') },
      { path: '$.built', fields: ['done'] },
    );
    const release = task('Release', { action: 'gold-release', counter }, { path: '$.release', fields: ['done'] });
    const waitForBuild = patientWait(this, 'WaitForBuild');

    settle.next(drain).next(new Choice(this, 'Build?').when(Condition.booleanEquals('$.drain.build', true), build).otherwise(release));
    build.next(waitForBuild).next(await_);
    // At least once: who tells dbt and then dies tells it again.
    const tell = new EventBridgePutEvents(this, 'TellDbt', {
      entries: [
        {
          source: 'firn',
          detailType: tablesChanged,
          detail: TaskInput.fromObject({
            environment: environment.name,
            tables: JsonPath.objectAt('$.drain.forDbt'),
            counter,
          }),
        },
      ],
      resultPath: JsonPath.DISCARD,
    });
    tell.addRetry({ maxAttempts: 4, interval: Duration.seconds(2), backoffRate: 3, jitterStrategy: JitterType.FULL });
    const told = new Choice(this, 'TellDbt?').when(Condition.booleanEquals('$.drain.notify', true), tell.next(release)).otherwise(release);
    await_.next(new Choice(this, 'Built?').when(Condition.booleanEquals('$.built.done', true), told).otherwise(waitForBuild));
    release.next(
      new Choice(this, 'Released?').when(Condition.booleanEquals('$.release.done', true), new Succeed(this, 'Done')).otherwise(settle),
    );

    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: goldWorkflowName(environment.name),
      comment: 'Rebuilds the gold models whose inputs changed',
      definitionBody: DefinitionBody.fromChainable(settle),
      tracingEnabled: true,
      logs: {
        level: LogLevel.ALL,
        includeExecutionData: true,
        destination: new LogGroup(this, 'Log', {
          logGroupName: `/aws/vendedlogs/states/${Stack.of(this).stackName}-gold`,
          retention: RetentionDays.THREE_MONTHS,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
  }
}
