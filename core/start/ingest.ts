import { FirnError } from '../errors.js';
import type { Mode } from '../plan/plan.js';
import { joinOrStart, type Placement } from '../state/claim.js';
import { joinBatch, readRun } from '../state/runs.js';
import { settleRun } from '../state/settle.js';
import { readConfiguredTable } from '../state/table-configs.js';
import type { Batch, RowOutcome } from './batch.js';
import type { StartContext } from './context.js';
import { inParallel } from './parallel.js';
import { reject } from './rejection.js';
import { type Row, type TableRequest, tableRequest } from './request.js';

/** Finds or starts the run of each row. What is wrong with one row is that row's answer. Idempotent for the same batch. */
export async function ingestRows(context: StartContext, batch: Batch, rows: Row[]): Promise<RowOutcome[]> {
  // Two rows of one batch that ask for the same get the same run, however fast the first one begins to read.
  const placements = new Map<string, Promise<Placement>>();
  const placeOnce = (request: TableRequest, candidate: string): { first: boolean; placement: Promise<Placement> } => {
    const same = JSON.stringify([request.source, request.database, request.table, request.mode]);
    const before = placements.get(same);
    const placement = before ?? place(context, request, candidate);
    placements.set(same, placement);
    return { first: !before, placement };
  };

  return inParallel(rows, async ({ number, args }, i) => {
    const candidate = batch.candidates[i]!;
    try {
      const request = tableRequest(args);
      const { first, placement } = placeOnce(request, candidate);
      const { runId, joined } = await placement;
      if (first) await joinBatch(context.state, runId, batch.key);
      return { number, runId, joined: joined || !first, wait: request.wait };
    } catch (error) {
      if (!(error instanceof FirnError) || error.code === 'ServiceUnavailable') throw error;
      await reject(context, candidate, args, error);
      return { number, runId: candidate, joined: false, wait: false };
    }
  });
}

async function place(context: StartContext, request: TableRequest, candidate: string): Promise<Placement> {
  const { state, configs } = context;
  const { source, database, table } = request;
  // An earlier attempt of this batch has claimed for it: perhaps it died before it started it, perhaps the run has long ended.
  const before = await readRun(state, candidate);
  if (before) {
    await settleRun(state, before);
    return { runId: candidate, joined: false };
  }
  const { config } = await readConfiguredTable(configs, request);
  const mode: Mode = request.mode ?? config.mode;
  if (mode === 'incremental' && config.mode === 'full' && config.cursor_column === undefined) {
    throw new FirnError('ArgumentInvalid', `Table ${source}.${database}.${table} has no cursor_column: it cannot be read incrementally.`);
  }
  return joinOrStart(state, { runId: candidate, source, database, table }, mode);
}
