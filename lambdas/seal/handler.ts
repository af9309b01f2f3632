import * as z from 'zod';
import { runRefSchema } from '../../core/plan/plan.js';
import { releasePermit } from '../../core/state/permits.js';
import { sealRun } from '../../core/workflow/seal-run.js';
import { holdPlan } from '../../core/workflow/warehouse-step.js';
import { rawBucket, runtimeState } from '../clients.js';
import { withSnowflake } from '../snowflake-session.js';
import { step } from '../step.js';

const eventSchema = z.object({ action: z.literal('seal'), run: runRefSchema });

export const handler = step('seal', eventSchema, async ({ run }, log) => {
  const [state, raw] = [runtimeState(), rawBucket()];
  const { plan, fence } = await holdPlan(state, raw, run);
  // The source is done with, whatever Snowflake does.
  await releasePermit(state, run);
  return withSnowflake({ ...run }, plan.target.warehouse, (warehouse) => sealRun({ run, plan, fence, state, raw, warehouse, log }));
});
