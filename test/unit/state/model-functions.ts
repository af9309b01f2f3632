import { fenceOfOrder } from '../../../core/column.js';
import type { ConfigStore } from '../../../core/config/store.js';
import { FirnError } from '../../../core/errors.js';
import type { createLog } from '../../../core/log.js';
import { manifestSchema, partManifestSchema } from '../../../core/plan/manifest.js';
import type { RunRef } from '../../../core/plan/plan.js';
import { manifestKey, partKey } from '../../../core/raw-bucket/layout.js';
import { type RawBucket, readJson, writeJsonOnce } from '../../../core/raw-bucket/objects.js';
import { acquirePermit, releasePermit } from '../../../core/state/permits.js';
import { recordResult } from '../../../core/state/runs.js';
import type { RuntimeState } from '../../../core/state/runtime-state.js';
import { commitRun } from '../../../core/workflow/commit-run.js';
import { acquireTurn, planRun } from '../../../core/workflow/plan-run.js';
import { holdPlan } from '../../../core/workflow/warehouse-step.js';
import { ExecutionsDouble } from './executions-double.js';
import type { SourceModel } from './model-source.js';
import type { WarehouseModel } from './model-warehouse.js';

/** The states of the workflow `ingest` that matter here, and the functions that perform them. */
export const states = {
  Acquire: 'plan',
  Plan: 'plan',
  Prepare: 'warehouse',
  Extract: 'extract',
  Seal: 'seal',
  Process: 'warehouse',
  Verify: 'warehouse',
  Commit: 'commit',
} as const;
export type State = keyof typeof states;

/** One call of a Lambda. */
export interface Invocation {
  of: string;
  /** Its machine has stopped: it does nothing more. */
  dead: boolean;
  /** Nobody waits for its answer any more. */
  ignored: boolean;
}

interface Parts {
  state: RuntimeState;
  configs: ConfigStore;
  raw: RawBucket;
  source: SourceModel;
  warehouse: WarehouseModel;
  permits: number;
  log: ReturnType<typeof createLog>;
  /** One step of the schedule. */
  access<T>(work: () => T): Promise<T>;
}

/** What the functions of the workflow do: the product's own code, but for the reading of rows and for Snowflake. */
export class WorkflowFunctions {
  /** Of each run: how many rows there were when it read. */
  readonly snapshots = new Map<string, number>();
  private readonly reading = new Set<Invocation>();
  private readonly gold = new ExecutionsDouble();

  constructor(private readonly parts: Parts) {}

  /** Its Lambda has ended, or goes on for nobody: it counts no more among those that read. */
  ended(invocation: Invocation): void {
    this.reading.delete(invocation);
  }

  /** @returns false: wait, and call again */
  async perform(name: State, run: RunRef, invocation: Invocation): Promise<boolean> {
    const { state, raw, source, log } = this.parts;
    const planning = { ...this.parts, withSource: source.withSource, log };
    if (name === 'Acquire') return (await acquireTurn(planning, run)).acquired;
    if (name === 'Plan') await planRun(planning, run);
    if (name === 'Extract') await this.extract(run, invocation);
    if (name === 'Seal') await this.seal(run);
    if (name === 'Prepare' || name === 'Process') await this.inWarehouse(name, run);
    if (name === 'Verify') {
      await holdPlan(state, raw, run);
      const none = { rows_updated: 0, rows_unchanged: 0, rows_superseded: 0, rows_deleted: 0 };
      await recordResult(state, run.runId, { rows_loaded: 1, rows_inserted: 1, ...none });
    }
    if (name === 'Commit') await commitRun(state, raw, this.gold, run);
    return true;
  }

  /** What lambdas/extract/handler.ts does for the one chunk. */
  private async extract(run: RunRef, invocation: Invocation): Promise<void> {
    const { state, raw, source, permits } = this.parts;
    await holdPlan(state, raw, run);
    if (await readJson(raw, partKey(run.runId, 0), partManifestSchema)) return;
    if (!(await acquirePermit(state, run, permits))) throw new FirnError('PermitUnavailable', 'All permits are taken.');
    // What nobody waits for any more reads without one.
    if (!invocation.ignored) this.reading.add(invocation);
    if (this.reading.size > permits) throw new Error(`${this.reading.size} runs read at once, with ${permits} permits`);
    const rows = await source.read(run.table);
    const part = { runId: run.runId, chunk: 0, files: [], rows, readAsOf: new Date().toISOString(), policyCounts: {} };
    const written = await writeJsonOnce(raw, partKey(run.runId, 0), partManifestSchema, part);
    this.snapshots.set(run.runId, written.rows);
    this.ended(invocation);
  }

  private async seal(run: RunRef): Promise<void> {
    const { state, raw } = this.parts;
    await holdPlan(state, raw, run);
    await releasePermit(state, run);
    const { chunk: _, ...part } = (await readJson(raw, partKey(run.runId, 0), partManifestSchema))!;
    await writeJsonOnce(raw, manifestKey(run.runId), manifestSchema, { ...part, bytes: 0 });
  }

  private async inWarehouse(name: 'Prepare' | 'Process', run: RunRef): Promise<void> {
    const { state, raw, warehouse, access } = this.parts;
    const { plan, fence } = await holdPlan(state, raw, run);
    if (name === 'Prepare') return access(() => warehouse.prepare(run, fence));
    await access(() => warehouse.refuseOlderRows(run, fenceOfOrder(plan.order)));
    await access(() => warehouse.merge(run, fence, Number(plan.cursor?.from ?? 1), this.snapshots.get(run.runId)!));
  }
}
