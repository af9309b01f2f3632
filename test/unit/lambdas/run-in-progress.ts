import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createLog } from '../../../core/log.js';
import type { DataFile } from '../../../core/plan/manifest.js';
import { partManifestSchema } from '../../../core/plan/manifest.js';
import { type Plan, planSchema } from '../../../core/plan/plan.js';
import { partKey, planKey } from '../../../core/raw-bucket/layout.js';
import { type RawBucket, writeJsonOnce } from '../../../core/raw-bucket/objects.js';
import { acquire, joinOrStart } from '../../../core/state/claim.js';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import { holdPlan, type WarehouseStep } from '../../../core/workflow/warehouse-step.js';
import { type PlanChanges, planOf } from '../sql/table.js';
import type { ExecutionsDouble } from '../state/executions-double.js';

export interface Surroundings {
  documents: DynamoDBDocumentClient;
  raw: RawBucket;
  warehouse: Warehouse;
  executions: ExecutionsDouble;
}

/** A run that owns its table, is planned, and has read `files`: what the steps on Snowflake's side find. */
export interface RunInProgress {
  plan: Plan;
  /** As the handler makes it before each step. @throws FirnError Superseded */
  hold(): Promise<WarehouseStep>;
}

export async function beginRun(
  surroundings: Surroundings,
  table: string,
  files: DataFile[] | ((run: Plan['run']) => DataFile[]) = [],
  changes: PlanChanges = {},
): Promise<RunInProgress> {
  const { documents, raw, warehouse, executions } = surroundings;
  const state = { documents, table: 'state', executions };
  const plan = planSchema.parse(planOf(table, 1, { plannedAt: new Date().toISOString(), ...changes }));
  const { run } = plan;
  const written = typeof files === 'function' ? files(run) : files;
  await joinOrStart(state, run, plan.mode);
  await acquire(state, run);
  await writeJsonOnce(raw, planKey(run.runId), planSchema, plan);
  await writeJsonOnce(raw, partKey(run.runId, 0), partManifestSchema, {
    runId: run.runId,
    chunk: 0,
    files: written,
    rows: written.reduce((sum, { rows }) => sum + rows, 0),
    readAsOf: '2025-11-05T12:00:00.000000Z',
    policyCounts: {},
  });
  return {
    plan,
    hold: async () => ({ ...(await holdPlan(state, raw, run)), run, state, raw, warehouse, log: createLog({}) }),
  };
}
