import * as z from 'zod';
import { errorRecord, isErrorCode } from '../errors.js';
import type { ExportContext, ExportRef } from './context.js';
import { deleteObjects } from './objects.js';
import { asideKeys } from './publish.js';
import { setItem } from './record.js';
import { itemOf } from './unload.js';

/** What Step Functions hands to a Catch. */
export const failureSchema = z.object({ Error: z.string(), Cause: z.string().optional() });
export type Failure = z.infer<typeof failureSchema>;

/** Note: an export has failed for good in this attempt, and what was submitted for it is forgotten. The others go on; Pick says so at the end. */
export async function note(context: ExportContext, ref: ExportRef, attempt: number, failure: Failure): Promise<void> {
  const { state, log } = context;
  const { status, unload } = await itemOf(context, ref);
  if (status === 'SUCCEEDED') return;
  const code = failure.Error === 'States.Timeout' ? 'TimedOut' : isErrorCode(failure.Error) ? failure.Error : 'Internal';
  const error = errorRecord(code, messageOf(failure));
  // A statement that may still run writes to its own place, which the next one does not use.
  await setItem(state, ref.exportId, ref.index, { status: 'FAILED', attempt, finishedAt: new Date().toISOString(), error, unload: null });
  log.warn({ error, query_id: unload?.queryId }, 'the export failed');
  try {
    await deleteObjects(context.exports, await asideKeys(context.exports, ref));
  } catch (thrown) {
    log.warn({ error: String(thrown) }, 'what lies aside stays until the rule of the bucket removes it');
  }
}

/** A function's error comes as JSON. */
function messageOf({ Error: name, Cause = '' }: Failure): string {
  try {
    const { errorMessage } = JSON.parse(Cause) as { errorMessage?: unknown };
    if (typeof errorMessage === 'string') return errorMessage.slice(0, 1000);
  } catch {
    // Not a function's.
  }
  return `${name} ${Cause}`.trim().slice(0, 1000);
}
