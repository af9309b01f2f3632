import * as z from 'zod';
import type { RunLog } from '../../core/log.js';
import { type RunRef, runRefSchema } from '../../core/plan/plan.js';
import { awaitLoad } from '../../core/workflow/await-load.js';
import { awaitGold, buildGold, drainGold, finishGold } from '../../core/workflow/gold.js';
import { prepare } from '../../core/workflow/prepare.js';
import { awaitProcess, submitProcess } from '../../core/workflow/process.js';
import { recordRejection, recordRun } from '../../core/workflow/record.js';
import { verify } from '../../core/workflow/verify.js';
import { holdPlan, type WarehouseStep } from '../../core/workflow/warehouse-step.js';
import { rawBucket, runtimeState } from '../clients.js';
import { withSnowflake } from '../snowflake-session.js';
import { step } from '../step.js';

/** Steps of a run that still has to own its table. */
const runSteps: Record<'prepare' | 'await-load' | 'process' | 'await-process' | 'verify', (step: WarehouseStep) => Promise<object>> = {
  prepare,
  'await-load': awaitLoad,
  process: submitProcess,
  'await-process': awaitProcess,
  verify,
};

const text = z.string().nullable();
const eventSchema = z.discriminatedUnion('action', [
  z.object({ action: z.enum(['prepare', 'await-load', 'process', 'await-process', 'verify']), run: runRefSchema }),
  z.object({ action: z.literal('record'), run: runRefSchema }),
  z.object({
    action: z.literal('record-rejection'),
    receipt: z.looseObject({
      run_id: z.string(),
      source: text,
      database: text,
      table: text,
      finished_at: text,
      error: z.custom<NonNullable<Parameters<typeof recordRejection>[1]['error']>>().nullable(),
    }),
  }),
  z.object({ action: z.literal('gold-drain'), execution: z.string() }),
  z.object({ action: z.literal('gold-build') }),
  z.object({ action: z.literal('gold-await'), queryId: z.string() }),
  z.object({ action: z.literal('gold-release'), counter: z.number() }),
]);

export const handler = step('warehouse', eventSchema, async (event, log): Promise<object> => {
  const inFirnsWarehouse = <T>(work: Parameters<typeof withSnowflake<T>>[2]) => withSnowflake({}, null, work);
  switch (event.action) {
    case 'record':
      await inFirnsWarehouse((session) => recordRun(runtimeState(), rawBucket().bucket, session, event.run));
      return {};
    case 'record-rejection':
      await inFirnsWarehouse((session) => recordRejection(session, event.receipt));
      return {};
    case 'gold-drain':
      return drainGold(runtimeState(), event.execution);
    case 'gold-build':
      return inFirnsWarehouse(buildGold);
    case 'gold-await':
      return inFirnsWarehouse((session) => awaitGold(session, event.queryId, log));
    case 'gold-release':
      return finishGold(runtimeState(), event.counter);
    default:
      return runStep(event.action, event.run, log);
  }
});

async function runStep(action: keyof typeof runSteps, run: RunRef, log: RunLog): Promise<object> {
  const [state, raw] = [runtimeState(), rawBucket()];
  const { plan, fence } = await holdPlan(state, raw, run);
  return withSnowflake({ ...run }, plan.target.warehouse, (warehouse) =>
    runSteps[action]({ run, plan, fence, state, raw, warehouse, log }),
  );
}
