import * as z from 'zod';
import type { SourceSettings } from '../config/schema.js';
import type { ConfigStore } from '../config/store.js';
import { failpoint } from '../failpoints.js';
import type { RunLog } from '../log.js';
import { type Explanation, explainPlan } from '../plan/explain.js';
import { makePlan, type PlannedRun, relationOf, type TableToPlan } from '../plan/make-plan.js';
import { type Mode, type Plan, planSchema, type RunRef } from '../plan/plan.js';
import { planKey } from '../raw-bucket/layout.js';
import { type RawBucket, readJson, writeJsonOnce } from '../raw-bucket/objects.js';
import type { SourceSession } from '../source/source.js';
import { acquire, markSnapshotTaken, reacquire } from '../state/claim.js';
import { acquirePermit } from '../state/permits.js';
import type { RuntimeState } from '../state/runtime-state.js';
import { type ConfiguredTable, readConfiguredTable } from '../state/table-configs.js';
import { readTableState, type TableRef } from '../state/table-state.js';

/** What the planning steps use. */
export interface Planning {
  state: RuntimeState;
  configs: ConfigStore;
  raw: RawBucket;
  /** Opens a session at the source for the time of `work`. */
  withSource<T>(settings: SourceSettings, work: (session: SourceSession) => Promise<T>): Promise<T>;
  /** Above it a table is read in several chunks. */
  chunkBytes?: number;
  /** Whether there is a Glue job. */
  hasGlue?: boolean;
  log: RunLog;
}

/** Acquire: the table and a permit of its source. False: somebody else's turn. @throws FirnError Superseded */
export async function acquireTurn({ state, configs }: Pick<Planning, 'state' | 'configs'>, run: RunRef): Promise<{ acquired: boolean }> {
  const { acquired } = await acquire(state, run);
  if (!acquired) return { acquired };
  await failpoint('acquired');
  const { source } = await readConfiguredTable(configs, run);
  const permitted = await acquirePermit(state, run, source.permits);
  if (permitted) await failpoint('permit_taken');
  return { acquired: permitted };
}

/** Plan: decides what the run reads, and writes it once. A second call answers the first one's plan. @throws FirnError Superseded */
export async function planRun(planning: Planning, run: RunRef): Promise<PlannedChunks> {
  const { state, raw, log } = planning;
  const key = planKey(run.runId);
  const earlier = await readJson(raw, key, planSchema);
  if (earlier) {
    await reacquire(state, run, earlier.baseVersion);
    return chunkNumbers(earlier);
  }
  const configured = await readConfiguredTable(planning.configs, run);
  const plan = await planning.withSource(configured.source, async (session) => {
    // Before anything is read: from now on a caller may have written what this run does not see.
    const { mode, fence, version, watermark, checkpoints, lastRunId } = await markSnapshotTaken(state, run);
    await failpoint('snapshot_announced');
    const table = { run, mode, fence, baseVersion: version, watermark, checkpoints, last: await planOf(raw, lastRunId) };
    return (await planTable(planning, session, configured, table)).plan;
  });
  for (const warning of plan.warnings) log.warn({}, warning);
  log.info(
    { engine: plan.engine, mode: plan.mode, from: plan.cursor?.from ?? null, chunks: plan.chunks.length, prefix: plan.prefix },
    'planned',
  );
  const written = await writeJsonOnce(raw, key, planSchema, plan);
  await failpoint('plan_written');
  return chunkNumbers(written);
}

/** The plan of a committed run. An older or newer version may have written it: that must not stop the next run. */
async function planOf(raw: RawBucket, runId: string | null | undefined): Promise<TableToPlan['last']> {
  if (!runId) return null;
  const parsed = planSchema.safeParse(await readJson(raw, planKey(runId), z.unknown()));
  return parsed.success ? parsed.data : 'unreadable';
}

/** What the state machine needs to know of a plan. */
export interface PlannedChunks {
  chunks: number[];
  engine: 'lambda' | 'glue';
}

const chunkNumbers = ({ chunks, engine }: Plan): PlannedChunks => ({
  chunks: chunks.map(({ number }) => number),
  engine: engine?.name ?? 'lambda',
});

const noGlue = 'the environment has no Glue job (`glue` in config/environments.yaml)';

/** What a run of the table would do now; nothing is written or claimed. `mode` null: as configured. */
export async function explainRun(planning: Omit<Planning, 'log'>, ref: TableRef, mode: Mode | null): Promise<Explanation> {
  const configured = await readConfiguredTable(planning.configs, ref);
  const { fence, version, watermark, checkpoints, lastRun } = await readTableState(planning.state, ref);
  const last = await planOf(planning.raw, lastRun?.runId);
  return planning.withSource(configured.source, async (session) => {
    const table = { run: { ...ref, runId: '' }, mode, fence, baseVersion: version, watermark: watermark ?? null, checkpoints, last };
    return explainPlan(await planTable(planning, session, configured, table));
  });
}

async function planTable(
  planning: Pick<Planning, 'state' | 'chunkBytes' | 'hasGlue'>,
  session: SourceSession,
  configured: ConfiguredTable,
  table: Pick<TableToPlan, 'run' | 'mode' | 'fence' | 'baseVersion' | 'watermark' | 'checkpoints' | 'last'>,
): Promise<PlannedRun> {
  const { source, config, configVersion } = configured;
  const described = await session.describeTable(relationOf(config, session.defaultSchema), config);
  const { rowsPerSecond = null } = await readTableState(planning.state, table.run);
  const withoutGlue = planning.hasGlue ? null : noGlue;
  return makePlan(
    session,
    { ...table, config, configVersion, sourceType: source.type, chunkBytes: planning.chunkBytes, rowsPerSecond, withoutGlue },
    described,
    new Date(),
  );
}
