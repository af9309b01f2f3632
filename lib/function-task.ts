import { Duration } from 'aws-cdk-lib';

import { JitterType, JsonPath, type TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { retriedCodes } from '../core/errors.js';
import type { FirnFunction } from './firn-function.js';

export interface FunctionTaskProps {
  readonly lambdaFunction: FirnFunction;
  readonly payload: TaskInput;
  /** How often an error of `retriedCodes` is tried again. */
  readonly retries: number;
  /** Where the answer goes, e.g. `$.turn`, and the fields of it that are kept. @default - the answer is discarded */
  readonly answer?: { readonly path: string; readonly fields: string[] };
}

/** Errors of the service itself: the function may not even have run. */
const serviceErrors = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Lambda.ClientExecutionTimeoutException',
];

/**
 * The function's process died: out of memory, or with its machine. A step that is carried out again finds what was done, and goes on from there
 * (docs/guarantees.md). Step Functions documents the first name, for functions that ran out of time too; Lambda reports the others.
 */
const died = ['Lambda.Unknown', 'Runtime.ExitError'];

/** The function ran out of time without saying so, as one does that waits for what does not come. Once more, no oftener: it may be 15 minutes each. */
const timedOut = ['Sandbox.Timedout', 'States.Timeout'];

/** One step of a workflow: calls a function, tries again what the catalogue of errors says may pass, and gives up in time. */
export class FunctionTask extends LambdaInvoke {
  constructor(scope: Construct, id: string, { lambdaFunction, payload, retries, answer }: FunctionTaskProps) {
    super(scope, id, {
      lambdaFunction,
      payload,
      retryOnServiceExceptions: false,
      // A little more than the function's own limit: whoever waits longer waits for an answer that cannot come.
      taskTimeout: Timeout.duration(lambdaFunction.timeout!.plus(Duration.seconds(30))),
      ...(answer
        ? {
            resultPath: answer.path,
            resultSelector: Object.fromEntries(answer.fields.map((field) => [field, JsonPath.objectAt(`$.Payload.${field}`)])),
          }
        : { resultPath: JsonPath.DISCARD }),
    });
    this.addRetry({
      errors: serviceErrors,
      interval: Duration.seconds(1),
      backoffRate: 2,
      maxAttempts: 6,
      maxDelay: Duration.seconds(30),
      jitterStrategy: JitterType.FULL,
    });
    this.addRetry({
      errors: retriedCodes,
      interval: Duration.seconds(2),
      backoffRate: 3,
      maxAttempts: retries,
      maxDelay: Duration.seconds(60),
      jitterStrategy: JitterType.FULL,
    });
    for (const [errors, maxAttempts] of [
      [died, 2],
      [timedOut, 1],
    ] as const) {
      this.addRetry({ errors: [...errors], interval: Duration.seconds(2), backoffRate: 2, maxAttempts, jitterStrategy: JitterType.FULL });
    }
  }
}
