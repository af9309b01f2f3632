import { FirnError } from '../errors.js';
import type { Manifest, PartManifest } from './manifest.js';
import type { Plan } from './plan.js';

/**
 * The run's manifest out of the parts of each chunk; null: the chunk is not read to its end. `readAsOf` is the earliest of the parts: everything committed before it was read.
 * @throws FirnError Internal when a part is missing: the state machine seals only after all chunks.
 */
export function sealParts(plan: Pick<Plan, 'run' | 'chunks'> & Partial<Pick<Plan, 'deletes'>>, parts: (PartManifest[] | null)[]): Manifest {
  const missing = plan.chunks.filter((_, index) => !parts[index]).map(({ number }) => number);
  if (missing.length) throw new FirnError('Internal', `Run ${plan.run.runId} has no part manifest of chunk ${missing.join(', ')}.`);
  const all = (parts as PartManifest[][]).flat();
  // Without them every row would seem to be gone.
  if (plan.deletes?.keys && all.filter(({ keys }) => keys !== undefined).length !== 1) {
    throw new FirnError('Internal', `Run ${plan.run.runId} was to read the keys of all rows once, and has not.`);
  }
  const files = all.flatMap((part) => part.files);
  const policyCounts: Record<string, number> = {};
  for (const part of all) {
    for (const [policy, count] of Object.entries(part.policyCounts)) policyCounts[policy] = (policyCounts[policy] ?? 0) + count;
  }
  return {
    runId: plan.run.runId,
    files,
    rows: files.reduce((sum, { rows, keys }) => sum + (keys ? 0 : rows), 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    readAsOf: all.map(({ readAsOf }) => readAsOf).toSorted()[0]!,
    policyCounts,
    ...engines(all),
  };
}

function engines(parts: PartManifest[]): Pick<Manifest, 'engine' | 'lambda'> {
  const byLambda = parts.filter(({ engine }) => engine === undefined);
  const sum = (of: (part: PartManifest) => number) => byLambda.reduce((total, part) => total + of(part), 0);
  const seconds = sum((part) => part.seconds ?? 0);
  return {
    ...(byLambda.length < parts.length && { engine: byLambda.length > 0 ? 'lambda, then glue' : 'glue' }),
    ...(seconds > 0 && { lambda: { rows: sum(({ rows }) => rows), seconds } }),
  };
}
