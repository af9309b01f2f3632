import { errorRecord, FirnError } from '../errors.js';
import { receiptOf } from '../receipt/from-run.js';
import type { Receipt } from '../receipt/receipt.js';
import { finishRun, noteCheck, type RunRecord, readRun, reopenRun } from '../state/runs.js';
import { settleRun } from '../state/settle.js';
import type { Batch, RowOutcome } from './batch.js';
import type { StartContext } from './context.js';
import { inParallel } from './parallel.js';
import { reject } from './rejection.js';
import { type Row, runIdArgument } from './request.js';

/** How long a run may say nothing until Step Functions is asked whether it is still alive: events can be lost. Milliseconds. */
const silence = 60_000;
/** Runs asked after in one request. */
const askedAtOnce = 5;

async function knownRun(context: StartContext, runId: string): Promise<RunRecord> {
  const record = await readRun(context.state, runId);
  if (!record) throw new FirnError('RunNotFound', `There is no run ${runId}.`);
  return record;
}

/** The record in line with Step Functions. A failure whose event has not come is told to Snowflake too. */
async function settled({ state, functions, warehouseFunction }: StartContext, record: RunRecord): Promise<RunRecord> {
  const now = await settleRun(state, record);
  if (record.status === 'RUNNING' && now.status === 'FAILED') {
    await functions.invokeLater(warehouseFunction, { action: 'record', run: now.run });
  }
  return now;
}

/** The receipt of each run, or what is wrong with the row. */
export async function statusRows(context: StartContext, rows: Row[]): Promise<[number, unknown][]> {
  const { raw } = context;
  return inParallel(rows, async ({ number, args }) => {
    try {
      const record = await settled(context, await knownRun(context, runIdArgument(args)));
      return [number, receiptOf(record, { joined: false, bucket: raw.bucket })];
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      return [number, refused(args, error)];
    }
  });
}

/** Redrives the failed run of each row. Idempotent for the same batch. */
export async function retryRows(context: StartContext, batch: Batch, rows: Row[]): Promise<RowOutcome[]> {
  return inParallel(rows, async ({ number, args }, i) => {
    try {
      const runId = runIdArgument(args);
      await retry(context, await knownRun(context, runId), batch.key);
      return { number, runId, joined: false, wait: true };
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      const candidate = batch.candidates[i]!;
      await reject(context, candidate, [], error);
      return { number, runId: candidate, joined: false, wait: false };
    }
  });
}

async function retry(context: StartContext, seen: RunRecord, batch: string): Promise<void> {
  const { state } = context;
  const { runId } = seen.run;
  // An earlier attempt of this batch may have died between opening the record and redriving the execution.
  const mine = seen.status === 'RUNNING' && seen.redrivenBy === batch;
  const record = mine ? seen : await settled(context, seen);
  if (!mine && record.status !== 'FAILED') {
    throw new FirnError('RunNotRetryable', `Run ${runId} has not failed: it is ${record.status}.`);
  }
  if (mine && (await state.executions.describe(record.executionArn!)).liveness !== 'failed') return;
  if (!mine && !(await reopenRun(state, runId, batch))) throw new FirnError('RunNotRetryable', `Run ${runId} is being retried already.`);
  if (await state.executions.redrive(record.executionArn!)) {
    // A late event of the attempt before may have closed the record in between.
    await reopenRun(state, runId, batch);
    return;
  }
  const error = record.error ?? errorRecord('Internal', 'The run failed.');
  await finishRun(state, runId, { status: 'FAILED', finishedAt: record.finishedAt ?? new Date().toISOString(), error });
  throw new FirnError(
    'RunNotRetryable',
    `Step Functions does not redrive run ${runId} any more. It failed with ${error.code}: ${error.message}`,
  );
}

/** The records of the runs, each asked after at Step Functions if it has been silent for long. */
export async function currentRecords(context: StartContext, runIds: string[]): Promise<Map<string, RunRecord>> {
  const { state } = context;
  const records = await inParallel([...new Set(runIds)], (runId) => readRun(state, runId));
  const since = new Date(Date.now() - silence).toISOString();
  const silent = records.filter((record) => record?.status === 'RUNNING' && record.startedAt < since && (record.checkedAt ?? '') < since);
  const asked = await inParallel(silent.slice(0, askedAtOnce), async (record) =>
    (await noteCheck(state, record!.run.runId, since)) ? settled(context, record!) : record!,
  );
  return new Map([...records, ...asked].flatMap((record) => (record ? [[record.run.runId, record]] : [])));
}

/** An answer in the shape of a receipt for a row that names no run. */
export function refused(args: unknown[], error: FirnError): Pick<Receipt, 'status' | 'error'> & { run_id: string | null } {
  return { run_id: typeof args[0] === 'string' ? args[0].slice(0, 255) : null, status: 'REJECTED', error: error.toRecord() };
}
