import { FirnError } from '../errors.js';
import { type Manifest, manifestSchema } from '../plan/manifest.js';
import { type Plan, planSchema } from '../plan/plan.js';
import { manifestKey, planKey } from './layout.js';
import { type RawBucket, readJson } from './objects.js';

/** The plan of a run. @throws FirnError Internal when it is not there: the state machine plans first. */
export async function readPlan(raw: RawBucket, runId: string): Promise<Plan> {
  return (await readJson(raw, planKey(runId), planSchema)) ?? absent(runId, planKey(runId));
}

/** The files of a run. @throws FirnError Internal when it is not there: the state machine seals first. */
export async function readManifest(raw: RawBucket, runId: string): Promise<Manifest> {
  return (await readJson(raw, manifestKey(runId), manifestSchema)) ?? absent(runId, manifestKey(runId));
}

function absent(runId: string, key: string): never {
  throw new FirnError('Internal', `Run ${runId} has no ${key} in the raw bucket.`);
}
