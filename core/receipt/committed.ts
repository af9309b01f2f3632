import type { Manifest } from '../plan/manifest.js';
import type { Plan } from '../plan/plan.js';
import type { RunResult } from '../state/runs.js';
import type { Receipt } from './receipt.js';

/** What a receipt says of a run that has committed. `notes`: what PREPARE_TABLE says of its columns. */
export function committedReceipt(plan: Plan, manifest: Manifest, result: RunResult, notes: string[] = []): Partial<Receipt> {
  const { rows_loaded, rows_inserted, rows_updated, rows_unchanged, rows_superseded, rows_deleted } = result;
  return {
    mode: plan.mode,
    read_as_of: manifest.readAsOf,
    rows_read: manifest.rows,
    rows_loaded,
    rows_merged: rows_inserted + rows_updated + rows_unchanged + rows_superseded,
    rows_inserted,
    rows_updated,
    rows_unchanged,
    rows_superseded,
    rows_deleted,
    engine: manifest.engine ?? 'lambda',
    engine_reason: plan.engine?.reason ?? null,
    files: manifest.files.length,
    bytes: manifest.bytes,
    watermark_before: plan.watermarkBefore?.lowerBound ?? null,
    watermark_after: plan.watermarkAfter?.lowerBound ?? null,
    held_back_by: plan.heldBack ?? null,
    warnings: [...plan.warnings, ...notes, ...Object.entries(manifest.policyCounts).map(replacedWarning)],
  };
}

/** `policy` begins with its column: `AMOUNT: numeric_nan`. */
const replacedWarning = ([policy, count]: [string, number]): string =>
  `${policy} replaced ${count} value${count === 1 ? '' : 's'}; see the run's log.`;
