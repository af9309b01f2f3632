import type { ExecutionState, Executions, Liveness } from '../../../core/state/executions.js';

/** Step Functions in memory: executions are alive until the test ends them. */
export class ExecutionsDouble implements Executions {
  readonly started: { name: string; input: unknown }[] = [];
  readonly described: string[] = [];
  private readonly states = new Map<string, ExecutionState>();

  arn(name: string): string {
    return `arn:aws:states:us-east-1:000000000000:execution:ingest:${name}`;
  }

  async describe(arn: string): Promise<ExecutionState> {
    this.described.push(arn);
    return this.states.get(arn) ?? { liveness: 'missing', status: null, redriveCount: 0, attemptStartedAt: null, error: null, cause: null };
  }

  async start(name: string, input: unknown): Promise<void> {
    if (this.states.has(this.arn(name))) return;
    this.started.push({ name, input });
    this.set(name, 'alive', { attemptStartedAt: new Date(Date.now() - 1000) });
  }

  async redrive(arn: string): Promise<boolean> {
    const state = this.states.get(arn);
    if (state?.liveness !== 'failed') return false;
    this.states.set(arn, {
      ...state,
      liveness: 'alive',
      status: 'RUNNING',
      redriveCount: state.redriveCount + 1,
      error: null,
      cause: null,
    });
    return true;
  }

  liveness(name: string): Liveness {
    return this.states.get(this.arn(name))?.liveness ?? 'missing';
  }

  redrives(name: string): number {
    return this.states.get(this.arn(name))?.redriveCount ?? 0;
  }

  set(name: string, liveness: Liveness, more: Partial<ExecutionState> = {}): void {
    const status = { alive: 'RUNNING', succeeded: 'SUCCEEDED', failed: 'FAILED', missing: null }[liveness];
    const before = this.states.get(this.arn(name));
    this.states.set(this.arn(name), {
      redriveCount: 0,
      attemptStartedAt: null,
      error: null,
      cause: null,
      ...before,
      liveness,
      status,
      ...more,
    });
  }
}
