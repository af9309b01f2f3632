import { FirnError } from '../errors.js';
import { failpoint } from '../failpoints.js';
import type { Manifest } from '../plan/manifest.js';
import type { RunRef } from '../plan/plan.js';
import { readManifest } from '../raw-bucket/run-documents.js';
import { type RunResult, recordResult } from '../state/runs.js';
import { readResult } from './process.js';
import type { WarehouseStep } from './warehouse-step.js';

/** Verify: rows read = rows loaded = rows accounted for. Only then may the run commit. @throws FirnError CountMismatch */
export async function verify({ run, raw, state, warehouse, log }: WarehouseStep): Promise<object> {
  const result = await readResult(warehouse, run.runId);
  if (!result) throw new FirnError('Internal', `Run ${run.runId} has no row in FIRN.RUN_RESULTS.`);
  await failpoint('merged');
  compareCounts(run, await readManifest(raw, run.runId), result);
  await recordResult(state, run.runId, result);
  await failpoint('verified');
  log.info({ ...result }, 'verified');
  return {};
}

export function compareCounts({ table }: Pick<RunRef, 'table'>, manifest: Pick<Manifest, 'rows'>, result: RunResult): void {
  const { rows_loaded, rows_inserted, rows_updated, rows_unchanged, rows_superseded } = result;
  const merged = rows_inserted + rows_updated + rows_unchanged + rows_superseded;
  if (manifest.rows === rows_loaded && rows_loaded === merged) return;
  throw new FirnError(
    'CountMismatch',
    `${table}: ${manifest.rows} rows were read, ${rows_loaded} loaded, ${merged} merged (${rows_inserted} inserted, ${rows_updated} updated, ${rows_unchanged} unchanged, ${rows_superseded} superseded).`,
  );
}
