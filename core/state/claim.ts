import { decodeTime } from 'ulid';
import { FirnError } from '../errors.js';
import { failpoint } from '../failpoints.js';
import type { Mode, Plan, RunRef, Watermark } from '../plan/plan.js';
import { usableCheckpoints } from '../source/watermark.js';
import { createRun, readRun, recordMode } from './runs.js';
import type { RuntimeState } from './runtime-state.js';
import { type Change, type Claim, changeTable, type TableRef, type TableState, type Waiting } from './table-state.js';

/**
 * Who may write a table. There is no clock: a claim names an execution, and Step Functions knows whether that is alive.
 *
 * The owner (`current`) keeps the table until it commits or is superseded; an owner that has ended can be redriven, or be taken over
 * by whoever comes first. One run may wait (`next`). Whoever meets a run that was claimed for but never started, starts it.
 */

/** What an owner may rely on. */
export interface Held {
  fence: number;
  mode: Mode;
  /** Version of the table's state: `baseVersion` of a plan made now. */
  version: number;
  watermark: Watermark | null;
  checkpoints: Watermark[];
  /** The run that committed last. */
  lastRunId: string | null;
}

export interface Placement {
  /** The run that will read what the caller has written: the candidate, or one that was there. */
  runId: string;
  joined: boolean;
}

const recentRunsKept = 16;
/** Step Functions forgets an execution 90 days after its end: an old run that it does not know has ended, and is not to be started again. */
const forgottenAfter = 80 * 86_400_000;

/**
 * Finds the run for a call: joins the owner if its mode is equal and it has not begun to read, else joins or becomes the waiting run,
 * else becomes the owner. In the end the run's execution is started. Idempotent for the same candidate.
 */
export async function joinOrStart(state: RuntimeState, candidate: RunRef, mode: Mode): Promise<Placement> {
  const placed = await changeTable(state, candidate, (table) => place(state, table, candidate, mode));
  await failpoint('claimed', candidate.table);
  if (placed.runId === candidate.runId) await ensureStarted(state, candidate, { runId: candidate.runId, mode });
  // A run that was lifted and loses its place keeps the mode that it was lifted to: its record says so.
  else if (mode === 'full') await recordMode(state, placed.runId, mode);
  await failpoint('started', candidate.table);
  return { runId: placed.runId, joined: placed.runId !== candidate.runId };
}

/** Takes the table if it is this run's turn. @throws FirnError Superseded when another run does what this one was to do */
export async function acquire(state: RuntimeState, run: RunRef): Promise<{ acquired: false } | ({ acquired: true } & Held)> {
  const turn = await changeTable<{ held: Held } | { joins: string; mode: Mode } | null>(state, run, async (table) => {
    if (table.recentRuns.includes(run.runId)) throw superseded(run, 'it has committed already');
    if (table.current?.runId === run.runId) return { answer: { held: heldBy(table, table.current) } };
    if (table.next?.runId === run.runId) {
      if (await meet(state, run, table.current)) return { answer: null };
      const owned = await own(state, table, run, table.next.mode);
      return { ...owned, answer: { held: owned.answer } };
    }
    // A run that lost its place before it read anything, and was redriven.
    const mode = await modeOf(state, run);
    const { write, answer } = await place(state, table, run, mode);
    if (answer.runId !== run.runId) return { write, answer: { joins: answer.runId, mode } };
    const current = write?.current;
    return { write, answer: current?.runId === run.runId ? { held: heldBy(write!, current) } : null };
  });
  if (turn && 'joins' in turn) {
    if (turn.mode === 'full') await recordMode(state, turn.joins, turn.mode);
    throw superseded(run, `run ${turn.joins} reads the table`);
  }
  if (!turn) return { acquired: false };
  await recordMode(state, run.runId, turn.held.mode);
  return { acquired: true, ...turn.held };
}

/**
 * Still the owner, on the version that the plan was made for? An owner that ended without committing is taken over.
 * @throws FirnError Superseded
 */
export async function reacquire(state: RuntimeState, run: RunRef, baseVersion: number): Promise<Held> {
  return changeTable(state, run, (table) => hold(state, table, run, baseVersion));
}

/** From now on nobody joins the run. To be called before anything is read. @throws FirnError Superseded */
export async function markSnapshotTaken(state: RuntimeState, run: RunRef): Promise<Held> {
  return changeTable(state, run, async (table) => {
    const { write = table, answer } = await hold(state, table, run, table.version);
    if (write === table && write.current!.snapshotTaken) return { answer };
    return { write: { ...write, current: { ...write.current!, snapshotTaken: true } }, answer };
  });
}

/** Commits the run's watermark and gives the table up. A second call changes nothing. @throws FirnError Superseded */
export async function commitTable(
  state: RuntimeState,
  run: RunRef,
  plan: Pick<Plan, 'baseVersion' | 'watermarkAfter' | 'order'>,
  rowsPerSecond: number | null = null,
): Promise<void> {
  await changeTable(state, run, async (table) => {
    if (table.recentRuns.includes(run.runId)) return { answer: undefined };
    const { write = table } = await hold(state, table, run, plan.baseVersion);
    const { current: _given, ...rest } = write;
    return {
      write: {
        ...rest,
        version: table.version + 1,
        ...(plan.watermarkAfter && {
          watermark: plan.watermarkAfter,
          checkpoints: [...usableCheckpoints(table.checkpoints, plan.watermarkAfter), plan.watermarkAfter],
        }),
        ...(rowsPerSecond !== null && { rowsPerSecond }),
        lastRun: { runId: run.runId, order: plan.order, at: new Date().toISOString() },
        recentRuns: [...table.recentRuns, run.runId].slice(-recentRunsKept),
      },
      answer: undefined,
    };
  });
}

/** Gives up what is this run's: the table, or the place in front of it. False when the run has committed. */
export async function abandonTable(state: RuntimeState, run: RunRef): Promise<boolean> {
  return changeTable(state, run, async (table) => {
    if (table.recentRuns.includes(run.runId)) return { answer: false };
    const { current, next, ...rest } = table;
    if (current?.runId !== run.runId && next?.runId !== run.runId) return { answer: true };
    const kept = { ...(current?.runId !== run.runId && { current }), ...(next?.runId !== run.runId && { next }) };
    return { write: { ...rest, ...kept }, answer: true };
  });
}

async function place(state: RuntimeState, table: TableState, candidate: RunRef, mode: Mode): Promise<Change<{ runId: string }>> {
  const { current, next } = table;
  const me = { answer: { runId: candidate.runId } };
  if ([current?.runId, next?.runId, ...table.recentRuns].includes(candidate.runId)) return me;

  const owned = await meet(state, candidate, current);
  if (owned && current!.mode === mode && !current!.snapshotTaken) return { answer: { runId: current!.runId } };

  if (await meet(state, candidate, next)) {
    const lift = mode === 'full' && next!.mode === 'incremental';
    return { write: lift ? { ...table, next: { ...next!, mode } } : undefined, answer: { runId: next!.runId } };
  }
  if (owned) return { write: { ...table, next: waiting(state, candidate, mode) }, ...me };
  return { ...(await own(state, table, candidate, mode)), ...me };
}

async function hold(state: RuntimeState, table: TableState, run: RunRef, baseVersion: number): Promise<Change<Held>> {
  if (table.version !== baseVersion) throw superseded(run, `the table is at version ${table.version}, the run began at ${baseVersion}`);
  if (table.current?.runId === run.runId) return { answer: heldBy(table, table.current) };
  if (await isPending(state, table.current)) throw superseded(run, `run ${table.current!.runId} owns the table`);
  return own(state, table, run, await modeOf(state, run), true);
}

async function own(state: RuntimeState, table: TableState, run: RunRef, mode: Mode, snapshotTaken = false): Promise<Change<Held>> {
  const fence = table.fence + 1;
  const current: Claim = { ...waiting(state, run, mode), fence, snapshotTaken };
  // A waiting run that is not this one keeps its place if it is alive, and has lost it otherwise.
  const { next, ...rest } = table;
  const keep = next && next.runId !== run.runId && (await isPending(state, next));
  const write = { ...rest, ...(keep && { next }), fence, current };
  return { write, answer: heldBy(write, current) };
}

const waiting = (state: RuntimeState, { runId }: RunRef, mode: Mode): Waiting => ({ runId, arn: state.executions.arn(runId), mode });

const heldBy = (table: TableState, { fence, mode }: Claim): Held => ({
  fence,
  mode,
  version: table.version,
  watermark: table.watermark ?? null,
  checkpoints: table.checkpoints,
  lastRunId: table.lastRun?.runId ?? null,
});

/** Whether the run has not ended. One that was claimed for and never started has all before it. */
async function isPending(state: RuntimeState, claim: Waiting | undefined, onMissing?: () => Promise<void>): Promise<boolean> {
  if (!claim) return false;
  const { liveness } = await state.executions.describe(claim.arn);
  if (liveness === 'missing' && Date.now() - decodeTime(claim.runId) > forgottenAfter) return false;
  if (liveness === 'missing') await onMissing?.();
  return liveness === 'alive' || liveness === 'missing';
}

/** The same for contenders: they start what was never started, or they would wait for ever. */
const meet = (state: RuntimeState, ref: TableRef, claim: Waiting | undefined): Promise<boolean> =>
  isPending(state, claim, () => ensureStarted(state, ref, claim!));

async function ensureStarted(state: RuntimeState, ref: TableRef, { runId, mode }: Pick<Waiting, 'runId' | 'mode'>): Promise<void> {
  const run: RunRef = { runId, source: ref.source, database: ref.database, table: ref.table };
  await createRun(state, { run, mode, executionArn: state.executions.arn(runId) });
  await state.executions.start(runId, run);
}

async function modeOf(state: RuntimeState, { runId }: RunRef): Promise<Mode> {
  const mode = (await readRun(state, runId))?.mode;
  if (!mode) throw new FirnError('RunNotFound', `Run ${runId} has no record: runs are started by ingest_table.`);
  return mode;
}

const superseded = ({ runId, source, database, table }: RunRef, why: string): FirnError =>
  new FirnError('Superseded', `Run ${runId} of ${source}.${database}.${table} has nothing left to do: ${why}.`);
