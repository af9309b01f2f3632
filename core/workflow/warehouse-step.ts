import type { RunLog } from '../log.js';
import type { Plan, RunRef } from '../plan/plan.js';
import type { RawBucket } from '../raw-bucket/objects.js';
import { readPlan } from '../raw-bucket/run-documents.js';
import { reacquire } from '../state/claim.js';
import type { RuntimeState } from '../state/runtime-state.js';
import type { Warehouse } from '../warehouse/snowflake.js';

/** What a step of the workflow on Snowflake's side uses. */
export interface WarehouseStep {
  run: RunRef;
  plan: Plan;
  /** The claim's run number. */
  fence: number;
  state: RuntimeState;
  raw: RawBucket;
  warehouse: Warehouse;
  log: RunLog;
}

/**
 * Reads the plan and makes sure that the run still owns its table, before a session is opened.
 * @throws FirnError Superseded
 */
export async function holdPlan(state: RuntimeState, raw: RawBucket, run: RunRef): Promise<{ plan: Plan; fence: number }> {
  const plan = await readPlan(raw, run.runId);
  const { fence } = await reacquire(state, run, plan.baseVersion);
  return { plan, fence };
}
