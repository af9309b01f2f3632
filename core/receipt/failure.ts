import { type ErrorRecord, errorRecord, isErrorCode } from '../errors.js';
import type { ExecutionState } from '../state/executions.js';
import type { StepError } from '../state/runs.js';

/**
 * Why an execution has ended: what its failing step recorded in this attempt, else what Step Functions says.
 * A failing Lambda's `error` is the name of what it threw, and its `cause` the JSON `{errorType, errorMessage, trace}`.
 */
export function failureOf(execution: ExecutionState, lastError: StepError | null): ErrorRecord {
  const { status, error, cause, attemptStartedAt } = execution;
  if (status === 'ABORTED')
    return errorRecord('Aborted', cause ? `Somebody stopped the execution: ${cause}` : 'Somebody stopped the execution.');
  const thisAttempt = lastError !== null && (attemptStartedAt === null || Date.parse(lastError.at) >= attemptStartedAt.getTime());
  if (thisAttempt && lastError.error.code === error) return lastError.error;
  const message = messageOf(cause);
  const after = thisAttempt ? ` The last error before was ${lastError.error.code}: ${lastError.error.message}` : '';
  // A function that runs out of time is `Sandbox.Timedout`, or by the documentation of Step Functions `Lambda.Unknown`.
  const functionTimedOut = error === 'Sandbox.Timedout' || (error === 'Lambda.Unknown' && /Task timed out/.test(message));
  if (status === 'TIMED_OUT' || error === 'States.Timeout' || functionTimedOut) {
    return errorRecord('TimedOut', `${message || 'A step did not end in its time.'}${after}`);
  }
  if (error !== null && isErrorCode(error)) return errorRecord(error, message);
  return errorRecord('Internal', `${error ?? status}: ${message}`);
}

function messageOf(cause: string | null): string {
  if (cause === null) return '';
  try {
    const { errorMessage } = JSON.parse(cause) as { errorMessage?: unknown };
    return typeof errorMessage === 'string' ? errorMessage : cause;
  } catch {
    return cause;
  }
}
