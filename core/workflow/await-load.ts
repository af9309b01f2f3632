import { FirnError } from '../errors.js';
import { failpoint } from '../failpoints.js';
import type { DataFile } from '../plan/manifest.js';
import { readManifest } from '../raw-bucket/run-documents.js';
import { copyFiles } from './copy-load.js';
import { readLoadClock, tick, writeLoadClock } from './load-clock.js';
import { countLoadedRows, missingFiles, rawTableName } from './loaded-files.js';
import { refreshPipe, refusePausedPipe, refuseRejectedFiles } from './pipe-load.js';
import type { WarehouseStep } from './warehouse-step.js';

/**
 * AwaitLoad: whether every file of the manifest is in raw with all its rows. Counted in the table: histories come late.
 * @throws FirnError LoadRejected, LoadIncomplete, PipePaused, CountMismatch
 */
export async function awaitLoad(step: WarehouseStep): Promise<{ loaded: boolean }> {
  const { plan, raw, warehouse, run } = step;
  const manifest = await readManifest(raw, run.runId);
  const withRows = manifest.files.filter(({ rows }) => rows > 0);
  if (withRows.length === 0) return { loaded: true };
  const missing = missingFiles(manifest, await countLoadedRows(warehouse, plan));
  const isCopied = plan.loader === 'copy';
  const loaded = missing.length === 0 || (isCopied ? await awaitCopy(step, withRows) : await awaitPipe(step, withRows, missing));
  if (loaded) await failpoint('loaded');
  return { loaded };
}

async function awaitCopy(step: WarehouseStep, files: DataFile[]): Promise<boolean> {
  if (!(await copyFiles(step, files))) return false;
  const missing = missingFiles({ files }, await countLoadedRows(step.warehouse, step.plan));
  if (missing.length === 0) return true;
  const { key, rows } = missing[0]!;
  throw new FirnError(
    'LoadIncomplete',
    `COPY has ended, but ${rawTableName(step.plan)} lacks ${missing.length} files, e.g. ${key} of ${rows} rows: rows were taken out of raw after loading; start a new run.`,
  );
}

async function awaitPipe({ run, plan, state, warehouse, log }: WarehouseStep, files: DataFile[], missing: DataFile[]): Promise<boolean> {
  await refuseRejectedFiles(warehouse, plan, missing);
  await refusePausedPipe(warehouse, plan);
  const arrived = countRows(files) - countRows(missing);
  const { clock, due } = tick(await readLoadClock(state, run.runId), Date.now(), arrived);
  // A redrive waits anew.
  await writeLoadClock(state, run.runId, due === 'give-up' ? null : clock);
  if (due === 'give-up') {
    throw new FirnError(
      'LoadIncomplete',
      `The pipe of ${rawTableName(plan)} has not loaded ${missing.length} files, e.g. ${missing[0]!.key}, and there was no progress for 30 minutes.${lostForGood(plan.plannedAt)}`,
    );
  }
  if (due === 'refresh') {
    log.warn({ files: missing.length }, 'no file for 3 minutes: the pipe is refreshed');
    await refreshPipe(warehouse, plan);
  }
  return false;
}

const countRows = (files: DataFile[]): number => files.reduce((sum, { rows }) => sum + rows, 0);

/** ALTER PIPE … REFRESH looks back seven days. */
const lostForGood = (plannedAt: string): string =>
  Date.now() - Date.parse(plannedAt) > 7 * 86_400_000
    ? ' The run is older than the 7 days that a pipe can look back: start a new run instead of a redrive.'
    : '';
