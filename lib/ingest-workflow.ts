import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  Choice,
  Condition,
  DefinitionBody,
  JsonPath,
  LogLevel,
  Map as MapState,
  StateMachine,
  Succeed,
  TaskInput,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Environment } from './environments.js';
import type { FirnFunction } from './firn-function.js';
import { FunctionTask } from './function-task.js';
import { GlueExtract } from './glue-extract.js';
import type { GlueExtractJob } from './glue-extract-job.js';
import { patientWait } from './patient-wait.js';
import type { RawBucket } from './raw-bucket.js';

export interface IngestWorkflowProps {
  readonly environment: Environment;
  readonly functions: Record<'plan' | 'extract' | 'seal' | 'warehouse' | 'commit', FirnFunction>;
  readonly rawBucket: RawBucket;
  /** @default - Lambda reads every table */
  readonly job?: GlueExtractJob | undefined;
}

/** How many chunks of a table are read at once. */
const chunksAtOnce = 8;

/** What every task is told of the run. The input holds nothing else that matters, so a redrive reads the present. */
const run = {
  runId: JsonPath.stringAt('$.runId'),
  source: JsonPath.stringAt('$.source'),
  database: JsonPath.stringAt('$.database'),
  table: JsonPath.stringAt('$.table'),
};

export const ingestWorkflowName = (environment: string): string => `firn-${environment}-ingest`;

/**
 * The run of one table; states and payloads: docs/architecture.md, "The workflow `ingest`".
 * Nothing is caught but Superseded, so that the console's Redrive runs the very step that failed.
 */
export class IngestWorkflow extends Construct {
  readonly stateMachine: StateMachine;
  private readonly retries: number;

  constructor(scope: Construct, id: string, { environment, functions, rawBucket, job }: IngestWorkflowProps) {
    super(scope, id);
    this.retries = environment.retries;
    const { plan, extract, seal, warehouse, commit } = functions;

    const record = this.task('Record', warehouse, { action: 'record', run });
    const supersede = this.task('Supersede', commit, { action: 'supersede', run });
    supersede.next(record).next(new Succeed(this, 'Done'));

    const acquire = this.task('Acquire', plan, { action: 'acquire', run }, { path: '$.turn', fields: ['acquired'] });
    const makePlan = this.task('Plan', plan, { action: 'plan', run }, { path: '$.plan', fields: ['chunks', 'engine'] });
    const prepare = this.task('Prepare', warehouse, { action: 'prepare', run });
    const extractChunk = this.task(
      'ExtractChunk',
      extract,
      { action: 'extract', run, chunk: JsonPath.numberAt('$.chunk') },
      { path: '$.read', fields: ['done'] },
    );
    // A function that runs out of time hands the rest of its chunk back.
    const chunkRead = new Choice(this, 'ChunkRead?')
      .when(Condition.booleanEquals('$.read.done', true), new Succeed(this, 'ChunkRead'))
      .otherwise(extractChunk);
    const extractAll = new MapState(this, 'Extract', {
      itemsPath: '$.plan.chunks',
      itemSelector: { chunk: JsonPath.numberAt('$$.Map.Item.Value'), ...run },
      maxConcurrency: chunksAtOnce,
      resultPath: JsonPath.DISCARD,
    }).itemProcessor(extractChunk.next(chunkRead));
    const sealFiles = this.task('Seal', seal, { action: 'seal', run }, { path: '$.seal', fields: ['files', 'rows'] });
    const awaitLoad = this.task('AwaitLoad', warehouse, { action: 'await-load', run }, { path: '$.load', fields: ['loaded'] });
    const process = this.task('Process', warehouse, { action: 'process', run }, { path: '$.process', fields: ['queryId'] });
    const awaitProcess = this.task(
      'AwaitProcess',
      warehouse,
      { action: 'await-process', run, queryId: JsonPath.stringAt('$.process.queryId') },
      { path: '$.processed', fields: ['done'] },
    );
    const verify = this.task('Verify', warehouse, { action: 'verify', run });
    const commitRun = this.task('Commit', commit, { action: 'commit', run });

    const byGlue = job && new GlueExtract(this, 'Glue', { job, extract, rawBucket, retries: environment.retries, run, next: sealFiles });
    const read = byGlue
      ? new Choice(this, 'Engine?').when(Condition.stringEquals('$.plan.engine', 'glue'), byGlue.prepareJob).otherwise(extractAll)
      : extractAll;
    if (byGlue) extractAll.addCatch(byGlue.prepareJob, { errors: ['ChunkTooLarge'], resultPath: JsonPath.DISCARD });

    for (const state of byGlue?.tasks ?? []) state.addCatch(supersede, { errors: ['Superseded'], resultPath: JsonPath.DISCARD });
    for (const state of [acquire, makePlan, prepare, extractAll, sealFiles, awaitLoad, process, awaitProcess, verify, commitRun]) {
      state.addCatch(supersede, { errors: ['Superseded'], resultPath: JsonPath.DISCARD });
    }

    const waitForTurn = patientWait(this, 'WaitForTurn');
    const waitForLoad = patientWait(this, 'WaitForLoad');
    const waitForProcess = patientWait(this, 'WaitForProcess');
    const processed = new Choice(this, 'Processed?')
      .when(Condition.booleanEquals('$.processed.done', true), verify)
      .otherwise(waitForProcess);
    const loaded = new Choice(this, 'Loaded?').when(Condition.booleanEquals('$.load.loaded', true), process).otherwise(waitForLoad);
    const acquired = new Choice(this, 'Acquired?').when(Condition.booleanEquals('$.turn.acquired', true), makePlan).otherwise(waitForTurn);

    waitForTurn.next(acquire);
    acquire.next(acquired);
    makePlan.next(prepare).next(read);
    extractAll.next(sealFiles).next(awaitLoad).next(loaded);
    waitForLoad.next(awaitLoad);
    process.next(waitForProcess).next(awaitProcess).next(processed);
    verify.next(commitRun).next(record);

    this.stateMachine = new StateMachine(this, 'StateMachine', {
      // Known before it exists: the functions that it calls ask after its executions.
      stateMachineName: ingestWorkflowName(environment.name),
      comment: 'Brings one table from its source into Snowflake',
      definitionBody: DefinitionBody.fromChainable(acquire),
      tracingEnabled: true,
      logs: {
        level: LogLevel.ALL,
        includeExecutionData: true,
        destination: new LogGroup(this, 'Log', {
          logGroupName: `/aws/vendedlogs/states/${Stack.of(this).stackName}-ingest`,
          retention: RetentionDays.THREE_MONTHS,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
  }

  private task(
    id: string,
    lambdaFunction: FirnFunction,
    payload: Record<string, unknown>,
    answer?: { path: string; fields: string[] },
  ): FunctionTask {
    return new FunctionTask(this, id, { lambdaFunction, payload: TaskInput.fromObject(payload), retries: this.retries, answer });
  }
}
