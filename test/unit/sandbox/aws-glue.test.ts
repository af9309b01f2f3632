import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchStopJobRunCommand, CreateJobCommand, GetJobRunCommand, GlueClient, StartJobRunCommand } from '@aws-sdk/client-glue';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot, pythonPath } from '../../../sandbox/paths.js';
import { missingSpark } from '../glue/local-spark.js';
import { type LocalAws, localAws, until } from './local-aws.js';

const missing = missingSpark();
if (missing) console.warn(missing);

const scripts: Record<string, string> = {
  writes: `import json, sys; open(sys.argv[sys.argv.index('--out') + 1], 'w').write(json.dumps(sys.argv[1:]))`,
  fails: `raise ValueError("[firn:SourceQueryFailed] it is wrong")`,
  exits: 'import sys; sys.exit(3)',
  sleeps: `import os, sys, time; open(sys.argv[sys.argv.index('--out') + 1], 'w').write(str(os.getpid())); time.sleep(3600)`,
};

const folder = mkdtempSync(join(tmpdir(), 'firn-glue-'));
let aws: LocalAws;
let glue: GlueClient;
let machine: string;

/** A Python without Spark, in the place where Spark is installed: these scripts need none. */
function standInForSpark(): string {
  const home = join(folder, 'spark');
  mkdirSync(join(home, 'bin'), { recursive: true });
  symlinkSync(pythonPath(), join(home, 'bin/python'));
  const stamp = execFileSync(pythonPath(), ['-c', 'import spark; print(spark.stamp(), end="")'], {
    env: { ...process.env, PYTHONPATH: join(projectRoot, 'sandbox/glue') },
  });
  writeFileSync(join(home, 'stamp'), stamp);
  return home;
}

beforeAll(async () => {
  if (missing) return;
  // A minute of a job's time-out is 2 seconds here.
  Object.assign(process.env, { FIRN_SPARK: standInForSpark(), FIRN_GLUE_MINUTE: '2' });
  aws = await localAws();
  glue = new GlueClient(aws.client);
  for (const [name, source] of Object.entries(scripts)) writeFileSync(join(folder, `${name}.py`), source);
  for (const Name of [...Object.keys(scripts), 'lacks', 'late']) {
    const ScriptLocation = join(folder, `${Name === 'late' ? 'sleeps' : Name}.py`);
    const DefaultArguments = { '--region': 'eu-west-1', '--over': 'default' };
    await glue.send(
      new CreateJobCommand({
        Name,
        Role: 'r',
        Command: { Name: 'glueetl', ScriptLocation },
        DefaultArguments,
        Timeout: Name === 'late' ? 1 : 2880,
      }),
    );
  }
  const { Machine } = await aws.deploy(
    'machine',
    {
      Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] } } },
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: {
          RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
          DefinitionString: JSON.stringify({
            StartAt: 'Job',
            States: {
              Job: {
                Type: 'Task',
                Resource: 'arn:aws:states:::glue:startJobRun.sync',
                Parameters: { 'JobName.$': '$.job', Arguments: { '--out.$': '$.out' } },
                End: true,
              },
            },
          }),
        },
      },
    },
    { Machine: { Ref: 'Machine' } },
  );
  machine = Machine!;
});
afterAll(async () => {
  await aws?.stop();
  rmSync(folder, { recursive: true });
});

const out = (name: string) => join(folder, `${name}.out`);
const runOf = async (JobName: string, RunId: string) => (await glue.send(new GetJobRunCommand({ JobName, RunId }))).JobRun!;
const startRun = async (JobName: string, to: string) =>
  (await glue.send(new StartJobRunCommand({ JobName, Arguments: { '--out': to, '--over': 'run' } }))).JobRunId!;
const endOf = (job: string, id: string) =>
  until(async () => {
    const run = await runOf(job, id);
    return run.CompletedOn ? run : undefined;
  });
/** The process of the script that sleeps, once it does. */
const sleeperOf = (to: string) =>
  until(async () => {
    try {
      return Number(readFileSync(to, 'utf8')) || undefined;
    } catch {
      return undefined;
    }
  });
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};
const gone = (pid: number) => until(async () => (isAlive(pid) ? undefined : true));

describe.skipIf(missing)('a job run of the local Glue (its scripts need no Spark here)', () => {
  it('runs the script with the arguments of the job, those of the run over them, and those of Glue', async () => {
    const id = await startRun('writes', out('writes'));
    expect(id).toMatch(/^jr_[0-9a-f]{64}$/);
    expect(await endOf('writes', id)).toMatchObject({ JobRunState: 'SUCCEEDED' });
    expect(JSON.parse(readFileSync(out('writes'), 'utf8'))).toEqual([
      '--JOB_NAME',
      'writes',
      '--JOB_RUN_ID',
      id,
      '--region',
      'eu-west-1',
      '--over',
      'run',
      '--out',
      out('writes'),
    ]);
  });

  it.each([
    { job: 'fails', message: 'ValueError: [firn:SourceQueryFailed] it is wrong' },
    { job: 'exits', message: 'Command failed with exit code 3' },
    { job: 'lacks', message: /The script .*lacks\.py is not there/ },
  ])('$job: has failed, and says why', async ({ job, message }) => {
    expect(await endOf(job, await startRun(job, out(job)))).toMatchObject({
      JobRunState: 'FAILED',
      ErrorMessage: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  it('ends when it is stopped, with its process', async () => {
    const id = await startRun('sleeps', out('stopped'));
    const pid = await sleeperOf(out('stopped'));
    await glue.send(new BatchStopJobRunCommand({ JobName: 'sleeps', JobRunIds: [id] }));
    expect(await endOf('sleeps', id)).toMatchObject({ JobRunState: 'STOPPED' });
    await gone(pid);
  });

  it('ends at its time-out, with its process', async () => {
    expect(await endOf('late', await startRun('late', out('late')))).toMatchObject({ JobRunState: 'TIMEOUT' });
    // On a busy machine it may not even have begun.
    if (existsSync(out('late'))) await gone(await sleeperOf(out('late')));
  });

  it('has failed when its process is killed', async () => {
    const id = await startRun('sleeps', out('killed'));
    process.kill(await sleeperOf(out('killed')), 'SIGKILL');
    expect(await endOf('sleeps', id)).toMatchObject({ JobRunState: 'FAILED', ErrorMessage: expect.stringContaining('SIGKILL') });
  });
});

describe.skipIf(missing)('a task that waits for a job run', () => {
  const sfn = () => new SFNClient(aws.client);
  const start = async (job: string, to: string) =>
    (await sfn().send(new StartExecutionCommand({ stateMachineArn: machine, input: JSON.stringify({ job, out: to }) }))).executionArn!;
  const ended = (executionArn: string) =>
    until(async () => {
      const execution = await sfn().send(new DescribeExecutionCommand({ executionArn }));
      return execution.status === 'RUNNING' ? undefined : execution;
    });

  it('goes on with the job run, once it has succeeded', async () => {
    const { status, output } = await ended(await start('writes', out('waited')));
    expect({ status, output: JSON.parse(output!) }).toMatchObject({
      status: 'SUCCEEDED',
      output: { JobRunState: 'SUCCEEDED', JobName: 'writes' },
    });
  });

  it('fails with the job run as its cause', async () => {
    const { status, error, cause } = await ended(await start('fails', out('failed')));
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.TaskFailed' });
    expect(JSON.parse(cause!)).toMatchObject({ JobRunState: 'FAILED', ErrorMessage: 'ValueError: [firn:SourceQueryFailed] it is wrong' });
  });

  it('stops the job run when the execution is stopped', async () => {
    const executionArn = await start('sleeps', out('aborted'));
    const pid = await sleeperOf(out('aborted'));
    await sfn().send(new StopExecutionCommand({ executionArn }));
    await gone(pid);
  });
});
