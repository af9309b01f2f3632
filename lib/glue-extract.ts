import { Duration } from 'aws-cdk-lib';
import {
  Choice,
  Condition,
  type IChainable,
  IntegrationPattern,
  JitterType,
  JsonPath,
  type QueryLanguage,
  TaskInput,
  Timeout,
} from 'aws-cdk-lib/aws-stepfunctions';
import { GlueStartJobRun } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { FirnFunction } from './firn-function.js';
import { FunctionTask } from './function-task.js';
import type { GlueExtractJob } from './glue-extract-job.js';
import type { RawBucket } from './raw-bucket.js';

export interface GlueExtractProps {
  readonly job: GlueExtractJob;
  readonly extract: FirnFunction;
  readonly rawBucket: RawBucket;
  readonly retries: number;
  /** What every task is told of the run. */
  readonly run: Record<string, string>;
  /** The state after all is read. */
  readonly next: IChainable;
}

/** What Glue answers for a moment. */
const serviceErrors = [
  'Glue.AWSGlueException',
  'Glue.ThrottlingException',
  'Glue.ConcurrentRunsExceededException',
  'Glue.SdkClientException',
];

/** A job run may wait for others. */
const queueing = Duration.hours(12);

/** The construct gives its time-out to the job run alone, which counts from its start; the task also waits for that. */
class PatientJobRun extends GlueStartJobRun {
  patience = queueing;

  override toStateJson(topLevelQueryLanguage?: QueryLanguage): object {
    return { ...super.toStateJson(topLevelQueryLanguage), TimeoutSeconds: this.patience.toSeconds() };
  }
}

/**
 * The states that have Glue read what is left of a run: PrepareJob → JobNeeded? → ExtractJob. A failure goes to ExplainJob, which throws
 * it under its code, and goes back to PrepareJob when it is redriven: so a redrive takes the table and the permit again, and stops what
 * is still alive, before anything is read.
 */
export class GlueExtract extends Construct {
  readonly prepareJob: FunctionTask;
  readonly tasks: FunctionTask[];

  constructor(scope: Construct, id: string, { job, extract, rawBucket, retries, run, next }: GlueExtractProps) {
    super(scope, id);
    const task = (name: string, payload: Record<string, unknown>, answer?: { path: string; fields: string[] }) =>
      new FunctionTask(scope, name, { lambdaFunction: extract, payload: TaskInput.fromObject(payload), retries, answer });

    this.prepareJob = task('PrepareJob', { action: 'prepare-job', run }, { path: '$.job', fields: ['read', 'preparedAt'] });
    const explainJob = task('ExplainJob', {
      action: 'explain-job',
      run,
      failure: JsonPath.objectAt('$.failure'),
      preparedAt: JsonPath.stringAt('$.job.preparedAt'),
    });
    this.tasks = [this.prepareJob, explainJob];

    const extractJob = new PatientJobRun(scope, 'ExtractJob', {
      glueJobName: job.jobName,
      integrationPattern: IntegrationPattern.RUN_JOB,
      arguments: TaskInput.fromObject({
        '--run_id': JsonPath.stringAt('$.runId'),
        '--bucket': rawBucket.bucketName,
        '--read': JsonPath.stringAt('$.job.read'),
      }),
      taskTimeout: Timeout.duration(Duration.minutes(job.timeout)),
      resultPath: JsonPath.DISCARD,
    });
    extractJob.patience = Duration.minutes(job.timeout).plus(queueing);
    extractJob.addRetry({
      errors: serviceErrors,
      interval: Duration.seconds(5),
      backoffRate: 2,
      maxAttempts: 6,
      maxDelay: Duration.seconds(60),
      jitterStrategy: JitterType.FULL,
    });
    extractJob.addCatch(explainJob, { errors: ['States.ALL'], resultPath: '$.failure' });
    extractJob.next(next);
    explainJob.next(this.prepareJob);
    this.prepareJob.next(new Choice(scope, 'JobNeeded?').when(Condition.stringEquals('$.job.read', ''), next).otherwise(extractJob));
  }
}
