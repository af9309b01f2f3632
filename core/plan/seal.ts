import { FirnError } from '../errors.js';
import type { Manifest, PartManifest } from './manifest.js';
import type { Plan } from './plan.js';

/**
 * The run's manifest out of its parts. `readAsOf` is the earliest of the parts: everything committed before it was read.
 * @throws FirnError Internal when a part is missing: the state machine seals only after all chunks.
 */
export function sealParts(plan: Pick<Plan, 'run' | 'chunks'>, parts: (PartManifest | null)[]): Manifest {
  const missing = plan.chunks.filter((_, index) => !parts[index]).map(({ number }) => number);
  if (missing.length) throw new FirnError('Internal', `Run ${plan.run.runId} has no part manifest of chunk ${missing.join(', ')}.`);
  const all = parts as PartManifest[];
  const files = all.flatMap((part) => part.files);
  const policyCounts: Record<string, number> = {};
  for (const part of all) {
    for (const [policy, count] of Object.entries(part.policyCounts)) policyCounts[policy] = (policyCounts[policy] ?? 0) + count;
  }
  return {
    runId: plan.run.runId,
    files,
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    readAsOf: all.map(({ readAsOf }) => readAsOf).toSorted()[0]!,
    policyCounts,
  };
}
