import { expect, it } from 'vitest';
import { type CaughtFailure, jobFailure } from '../../../core/glue/job-failure.js';

const failed = (ErrorMessage: string, JobRunState = 'FAILED'): CaughtFailure => ({
  Error: 'States.TaskFailed',
  Cause: JSON.stringify({ Id: 'jr_1', JobRunState, ErrorMessage, Timeout: 480 }),
});

it.each<{ what: string; failure: CaughtFailure; code: string; message: string }>([
  {
    what: 'an error of the script',
    failure: failed('FirnError: [firn:SourceQueryFailed] PostgreSQL at db:5432: division by zero'),
    code: 'SourceQueryFailed',
    message: 'PostgreSQL at db:5432: division by zero',
  },
  {
    what: 'the same as Glue may wrap it',
    failure: failed(
      'Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 12; FirnError: [firn:ValueOutOfRange] public.t: column v holds NaN',
    ),
    code: 'ValueOutOfRange',
    message: 'public.t: column v holds NaN',
  },
  {
    what: 'a driver that was killed',
    failure: failed('Command failed with exit code 137'),
    code: 'ExtractJobFailed',
    message: 'The Glue job run jr_1 ended as FAILED: Command failed with exit code 137',
  },
  {
    what: 'a code that nobody knows',
    failure: failed('[firn:Nonsense] x'),
    code: 'ExtractJobFailed',
    message: 'The Glue job run jr_1 ended as FAILED: [firn:Nonsense] x',
  },
  {
    what: 'the time of the job',
    failure: failed('Job run timed out', 'TIMEOUT'),
    code: 'TimedOut',
    message: 'The Glue job run jr_1 took longer than its 480 minutes.',
  },
  {
    what: 'a job run that was stopped',
    failure: failed('', 'STOPPED'),
    code: 'Aborted',
    message: 'The Glue job run jr_1 was stopped.',
  },
  {
    what: 'the time of the task',
    failure: { Error: 'States.Timeout' },
    code: 'TimedOut',
    message: 'The Glue job run did not begin and end in its time.',
  },
  {
    what: 'a job that could not be begun',
    failure: { Error: 'Glue.EntityNotFoundException', Cause: 'Job x not found' },
    code: 'ExtractJobFailed',
    message: 'The Glue job could not be run: Glue.EntityNotFoundException: Job x not found',
  },
])('$what is $code', ({ failure, code, message }) => {
  expect(jobFailure(failure)).toMatchObject({ code, message });
});
