import { PublishCommand } from '@aws-sdk/client-sns';
import { lambdaFunctions } from '../../core/invocation.js';
import { createLog } from '../../core/log.js';
import { keepLog } from '../../core/raw-bucket/run-log.js';
import { type ExecutionEnded, executionEndedSchema, reportFailure, runOf } from '../../core/workflow/failed-run.js';
import { environment, lambda, rawBucket, runtimeState, sns } from '../clients.js';
import type { StepContext } from '../step.js';

/** SNS cuts at 100 characters, and takes ASCII without control characters. */
const asSubject = (text: string): string => text.replace(/[^ -~]/g, '?').slice(0, 100);

export async function handler(event: ExecutionEnded, context: StepContext): Promise<void> {
  const ended = executionEndedSchema.parse(event);
  const run = runOf(ended);
  const log = createLog({
    function: 'on-failure',
    request_id: context.awsRequestId,
    run_id: run?.runId,
    execution: ended.detail.executionArn,
  });
  if (!run) return log.warn({}, 'the execution was not started by Firn: its input is no run');
  const raw = rawBucket();
  try {
    const publish = async (subject: string, receipt: object) => {
      await sns.send(
        new PublishCommand({
          TopicArn: environment('FAILURE_TOPIC_ARN'),
          Subject: asSubject(subject),
          Message: JSON.stringify(receipt, null, 2),
        }),
      );
    };
    const functions = lambdaFunctions(lambda);
    const warehouse = environment('WAREHOUSE_FUNCTION');
    await reportFailure({ state: runtimeState(), bucket: raw.bucket, functions, warehouse, publish, log }, run, ended.detail.executionArn);
  } finally {
    await keepLog(raw, run.runId, 'on-failure', log);
  }
}
