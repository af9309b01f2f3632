import * as z from 'zod';
import { runRefSchema } from '../../core/plan/plan.js';
import { stepFunctions } from '../../core/state/executions.js';
import { commitRun, supersedeRun } from '../../core/workflow/commit-run.js';
import { environment, rawBucket, runtimeState, sfn } from '../clients.js';
import { step } from '../step.js';

const eventSchema = z.object({ action: z.enum(['commit', 'supersede']), run: runRefSchema });
export type CommitEvent = z.infer<typeof eventSchema>;

export const handler = step('commit', eventSchema, async ({ action, run }) => {
  const state = runtimeState();
  if (action === 'supersede') await supersedeRun(state, run);
  else await commitRun(state, rawBucket(), stepFunctions(sfn, environment('GOLD_STATE_MACHINE_ARN')), run);
  return {};
});
