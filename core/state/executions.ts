import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  RedriveExecutionCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';

/** `missing`: never started, or older than the 90 days that Step Functions remembers. */
export type Liveness = 'alive' | 'succeeded' | 'failed' | 'missing';

export interface ExecutionState {
  liveness: Liveness;
  /** RUNNING, FAILED, TIMED_OUT, ABORTED, … as Step Functions says; null when missing. */
  status: string | null;
  redriveCount: number;
  /** When this attempt began: the last redrive, else the start. */
  attemptStartedAt: Date | null;
  error: string | null;
  cause: string | null;
}

/** Executions of one state machine. */
export interface Executions {
  /** ARN of the execution with this name, started or not. */
  arn(name: string): string;
  describe(arn: string): Promise<ExecutionState>;
  /** Idempotent: an execution with this name that runs or has ended counts as started. */
  start(name: string, input: unknown): Promise<void>;
  /** False when Step Functions refuses: not failed, older than 14 days, or another definition. */
  redrive(arn: string): Promise<boolean>;
}

const livenessOf = (status: string): Liveness =>
  status === 'RUNNING' || status === 'PENDING_REDRIVE' ? 'alive' : status === 'SUCCEEDED' ? 'succeeded' : 'failed';

const missing: ExecutionState = { liveness: 'missing', status: null, redriveCount: 0, attemptStartedAt: null, error: null, cause: null };

export function stepFunctions(client: SFNClient, stateMachineArn: string): Executions {
  const prefix = stateMachineArn.replace(':stateMachine:', ':execution:');
  return {
    arn: (name) => `${prefix}:${name}`,

    async describe(executionArn) {
      try {
        const found = await client.send(new DescribeExecutionCommand({ executionArn }));
        return {
          liveness: livenessOf(found.status!),
          status: found.status!,
          redriveCount: found.redriveCount ?? 0,
          attemptStartedAt: found.redriveDate ?? found.startDate ?? null,
          error: found.error ?? null,
          cause: found.cause ?? null,
        };
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return missing;
        throw error;
      }
    },

    async start(name, input) {
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
      } catch (error) {
        if (!(error instanceof ExecutionAlreadyExists)) throw error;
      }
    },

    async redrive(executionArn) {
      try {
        await client.send(new RedriveExecutionCommand({ executionArn }));
        return true;
      } catch (error) {
        const refused = ['ExecutionNotRedrivable', 'ExecutionDoesNotExist', 'ExecutionLimitExceeded'];
        if (!(error instanceof Error && refused.includes(error.name))) throw error;
        // It runs: somebody was faster, or the answer to our own request was lost and the SDK has repeated it.
        return (await this.describe(executionArn)).liveness === 'alive';
      }
    },
  };
}
