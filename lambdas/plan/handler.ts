import * as z from 'zod';
import { asFirnError } from '../../core/errors.js';
import { modeSchema, runRefSchema } from '../../core/plan/plan.js';
import { acquireTurn, explainRun, planRun } from '../../core/workflow/plan-run.js';
import { documents, environment, rawBucket, runtimeState } from '../clients.js';
import { withSource } from '../source-session.js';
import { step } from '../step.js';

const eventSchema = z.discriminatedUnion('action', [
  z.object({ action: z.literal('acquire'), run: runRefSchema }),
  z.object({ action: z.literal('plan'), run: runRefSchema }),
  /** The dry run of ingest_plan: called by `start`, outside of any execution. */
  z.object({ action: z.literal('explain'), run: runRefSchema.omit({ runId: true }), mode: modeSchema.nullish() }),
]);

/** A table whose read is estimated above it is read in several chunks: fewer bytes where a Lambda is slow. */
const chunkBytes = process.env.CHUNK_BYTES ? Number(process.env.CHUNK_BYTES) : undefined;

export const handler = step('plan', eventSchema, async (event, log) => {
  const state = runtimeState();
  const configs = { documents, table: environment('TABLE_CONFIG') };
  const planning = { state, configs, raw: rawBucket(), withSource, chunkBytes, hasGlue: process.env.EXTRACT_JOB !== undefined, log };
  switch (event.action) {
    case 'acquire':
      return acquireTurn(planning, event.run);
    case 'plan':
      return planRun(planning, event.run);
    case 'explain':
      // An answer too: the caller shows it.
      return explainRun(planning, event.run, event.mode ?? null).catch((error: unknown) => ({ error: asFirnError(error).toRecord() }));
  }
});
