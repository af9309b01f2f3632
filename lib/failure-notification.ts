import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { FirnFunction } from './firn-function.js';

export interface FailureNotificationProps {
  readonly ingest: StateMachine;
  readonly gold: StateMachine;
  readonly onFailure: FirnFunction;
  readonly topic: ITopic;
}

const unsuccessful = ['FAILED', 'TIMED_OUT', 'ABORTED'];

/** A run that failed is recorded, then published; a build of gold that failed is published as it is, because no run hangs on it. */
export class FailureNotification extends Construct {
  constructor(scope: Construct, id: string, { ingest, gold, onFailure, topic }: FailureNotificationProps) {
    super(scope, id);
    const ended = (stateMachine: StateMachine) => ({
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: { stateMachineArn: [stateMachine.stateMachineArn], status: unsuccessful },
    });
    new Rule(this, 'IngestFailed', {
      description: 'A run has failed',
      eventPattern: ended(ingest),
      targets: [new LambdaFunction(onFailure)],
    });
    new Rule(this, 'GoldFailed', {
      description: 'A build of gold has failed',
      eventPattern: ended(gold),
      targets: [new SnsTopic(topic, { message: RuleTargetInput.fromEventPath('$.detail') })],
    });
  }
}
