import * as z from 'zod';
import type { ConfigStore } from '../config/store.js';
import { errorRecord, FirnError } from '../errors.js';
import type { Batch, RowOutcome } from '../start/batch.js';
import { inParallel } from '../start/parallel.js';
import type { Row } from '../start/request.js';
import type { Executions } from '../state/executions.js';
import type { RuntimeState } from '../state/runtime-state.js';
import { joinOrStartExport } from './claim.js';
import { chosenExports } from './load.js';
import { createExport, type ExportRecord, finishExport, readExport, readItems } from './record.js';
import { readSet } from './store.js';
import { type ExportSummary, summaryOf } from './summary.js';

/** What the function `start` needs to answer for exports. */
export interface ExportStart {
  state: RuntimeState;
  configs: ConfigStore;
  /** Executions of the state machine `export`. */
  executions: Executions;
  /** Name of the exports bucket. */
  bucket: string;
}

const optionsSchema = z.strictObject({
  wait: z.boolean().default(true),
  /** Names of tables: all others are left out. */
  only: z.array(z.string()).min(1).optional(),
});

/** Finds or starts the exports that each row names. What is wrong with one row is that row's answer. Idempotent for the same batch. */
export async function exportRows(context: ExportStart, batch: Batch, rows: Row[]): Promise<RowOutcome[]> {
  return inParallel(rows, async ({ number, args }, i) => {
    const candidate = batch.candidates[i]!;
    try {
      const { name, wait, only } = exportRequest(args);
      const set = await readSet(context.configs, name);
      const exports = chosenExports(set, only);
      const { exportId, joined } = await joinOrStartExport(context.state, context.executions, { name: set.name, exports }, candidate);
      return { number, runId: exportId, joined, wait };
    } catch (error) {
      if (!(error instanceof FirnError) || error.code === 'ServiceUnavailable') throw error;
      await refuse(context.state, candidate, args, error);
      return { number, runId: candidate, joined: false, wait: false };
    }
  });
}

/** Arguments of export_tables. @throws FirnError ArgumentInvalid */
function exportRequest(args: unknown[]): { name: string; wait: boolean; only?: string[] } {
  const [name, given] = args;
  if (typeof name !== 'string' || name === '' || args.length > 2) {
    throw new FirnError('ArgumentInvalid', "Invalid call: expected export_tables('<name or path>' [, options]).");
  }
  const options = optionsSchema.safeParse(given ?? {});
  if (options.success) return { name, ...options.data };
  const { path, message } = options.error.issues[0]!;
  throw new FirnError(
    'ArgumentInvalid',
    `Invalid call: the option ${path.join('.')}: ${message}; known are wait (boolean) and only (tables).`,
  );
}

async function refuse(state: RuntimeState, exportId: string, args: unknown[], error: FirnError): Promise<void> {
  const at = new Date().toISOString();
  const record: ExportRecord = {
    exportId,
    name: typeof args[0] === 'string' ? args[0].slice(0, 255) : '',
    status: 'REJECTED',
    startedAt: at,
    finishedAt: at,
    executionArn: null,
    error: error.toRecord(),
  };
  await createExport(state, record, []);
}

/** The exports as they are now, in line with Step Functions. @throws FirnError ExportNotFound */
export async function currentSummary(context: ExportStart, exportId: string, joined = false): Promise<ExportSummary> {
  const { state, bucket } = context;
  const record = await settled(context, exportId);
  return summaryOf(record, await readItems(state, exportId), { joined, bucket });
}

/** An execution that was stopped, or failed in a way of its own, has not said so itself. */
async function settled({ state, executions }: ExportStart, exportId: string): Promise<ExportRecord> {
  const record = await readExport(state, exportId);
  if (!record) throw new FirnError('ExportNotFound', `There is no export ${exportId}.`);
  if (record.status === 'REJECTED' || record.status === 'SUCCEEDED') return record;
  const { liveness, status, error, cause } = await executions.describe(executions.arn(exportId));
  // Somebody has redriven it.
  if (liveness === 'alive') return { ...record, status: 'RUNNING', finishedAt: null, error: null };
  if (liveness !== 'failed' || record.status === 'FAILED') return record;
  const code = status === 'ABORTED' ? 'Aborted' : status === 'TIMED_OUT' ? 'TimedOut' : 'Internal';
  const message = `The execution ended as ${status}${error ? `: ${error} ${cause ?? ''}` : ''}.`.slice(0, 1000);
  const end = { status: 'FAILED', finishedAt: new Date().toISOString(), error: errorRecord(code, message) } as const;
  await finishExport(state, exportId, end);
  return { ...record, ...end };
}

/** Answers of export_status. */
export async function exportStatusRows(context: ExportStart, rows: Row[]): Promise<[number, unknown][]> {
  return inParallel(rows, async ({ number, args: [exportId] }) => {
    try {
      if (typeof exportId !== 'string' || exportId === '')
        throw new FirnError('ArgumentInvalid', 'Invalid call: the export id is missing.');
      return [number, await currentSummary(context, exportId)];
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      return [number, { export_id: exportId ?? null, status: 'REJECTED', error: error.toRecord() }];
    }
  });
}

/** Answers of a batch once each row has ended or `patient` is over; null before. */
export async function exportProgress(
  context: ExportStart,
  { outcomes = [] }: Batch,
  patient: boolean,
): Promise<[number, ExportSummary][] | null> {
  if (outcomes.length === 0) return null;
  const summaries = await inParallel(outcomes, ({ runId, joined }) => currentSummary(context, runId, joined));
  const pending = outcomes.some(({ wait }, i) => wait && summaries[i]!.status === 'RUNNING');
  return pending && patient ? null : outcomes.map(({ number }, i) => [number, summaries[i]!]);
}
