import { FirnError, isErrorCode } from '../errors.js';

/** What Step Functions caught of the job's task. `Cause` is the job run as JSON, when it was begun. */
export interface CaughtFailure {
  Error: string;
  Cause?: string | undefined;
}

interface JobRun {
  Id?: string;
  JobRunState?: string;
  ErrorMessage?: string;
  Timeout?: number;
}

/** Why a job run failed: what the script said, `[firn:Code] message`, else what Glue or Step Functions says. */
export function jobFailure({ Error: name, Cause = '' }: CaughtFailure): FirnError {
  const run = jobRunOf(Cause);
  const message = run?.ErrorMessage ?? Cause;
  const [, code = '', text = ''] = /\[firn:(\w+)\] ([^\n]*)/.exec(message) ?? [];
  if (isErrorCode(code)) return new FirnError(code, text);
  const id = `The Glue job run ${run?.Id ?? ''}`.trim();
  if (run?.JobRunState === 'TIMEOUT') return new FirnError('TimedOut', `${id} took longer than its ${run.Timeout ?? ''} minutes.`);
  if (name === 'States.Timeout') return new FirnError('TimedOut', 'The Glue job run did not begin and end in its time.');
  if (run?.JobRunState === 'STOPPED') return new FirnError('Aborted', `${id} was stopped.`);
  if (run) return new FirnError('ExtractJobFailed', `${id} ended as ${run.JobRunState}: ${message || 'Glue gives no reason'}`);
  return new FirnError('ExtractJobFailed', `The Glue job could not be run: ${name}: ${message}`);
}

function jobRunOf(cause: string): JobRun | null {
  try {
    const { JobRun: inner, ...run } = JSON.parse(cause) as JobRun & { JobRun?: JobRun };
    const found = inner ?? run;
    return found.JobRunState ? found : null;
  } catch {
    return null;
  }
}
