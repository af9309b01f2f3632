import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { FirnError } from './errors.js';

/**
 * Places at which tests let a function fail. Off unless the environment variable FIRN_FAILPOINTS names a folder, which no deployment sets:
 * then a file `<failpoint>@<table>` of that folder arms the failpoint for that table, and holds what to do there. It is taken by who comes first.
 */
export type Failpoint =
  // start
  | 'claimed'
  | 'started'
  // Acquire, Plan
  | 'acquired'
  | 'permit_taken'
  | 'snapshot_announced'
  | 'plan_written'
  // Prepare, Extract
  | 'prepared'
  | 'upload_part_sent'
  | 'file_written'
  | 'part_written'
  // Seal, AwaitLoad
  | 'manifest_written'
  | 'files_registered'
  | 'load_submitted'
  | 'loaded'
  // Process, AwaitProcess, Verify
  | 'merge_submitted'
  | 'submitted'
  | 'merged'
  | 'verified'
  // Commit, Record
  | 'watermark_committed'
  | 'gold_marked'
  | 'permit_released'
  | 'receipt_written'
  | 'recorded';

/**
 * - `throw`: an error that Step Functions tries again
 * - `hang`: until the function's time is over
 * - `kill`: the process ends, as when its machine dies
 * - `twice`: the whole call is made again, and ends, before this one goes on
 */
export const failures = ['throw', 'hang', 'kill', 'twice'] as const;
export type Failure = (typeof failures)[number];

const folder = process.env.FIRN_FAILPOINTS;

const calls = new AsyncLocalStorage<{ table: string; again: () => Promise<unknown> }>();

/** Runs `call`, one invocation of a function for `table`, so that its failpoints know what to do twice. */
export function withFailpoints<T>(table: string, call: () => Promise<T>): Promise<T> {
  return folder ? calls.run({ table, again: call }, call) : call();
}

/** Does what the failpoint is armed with; nothing as a rule. `table`: instead of the one of the call. */
export async function failpoint(name: Failpoint, table?: string): Promise<void> {
  if (!folder) return;
  const call = calls.getStore();
  const failure = take(folder, `${name}@${encodeURIComponent(table ?? call?.table ?? '')}`);
  if (failure === 'throw') throw new FirnError('ServiceUnavailable', `The failpoint ${name} was hit.`);
  if (failure === 'hang') await new Promise(() => {});
  if (failure === 'kill') process.kill(process.pid, 'SIGKILL');
  if (failure === 'twice') await call?.again();
}

/** Of several processes one gets it. */
function take(from: string, file: string): Failure | null {
  const taken = join(from, 'hit', `${file}.${process.pid}.${Date.now()}`);
  try {
    renameSync(join(from, file), taken);
  } catch {
    return null;
  }
  return readFileSync(taken, 'utf8') as Failure;
}
