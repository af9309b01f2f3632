import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { RedriveExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { Failpoint, Failure } from '../../../core/failpoints.js';
import { clientSettings } from '../../../sandbox/deploy.js';
import { readMemory, writeMemory } from '../../../sandbox/memory.js';
import { startPostgres } from '../../../sandbox/postgres.js';
import { stopService } from '../../../sandbox/service.js';
import { disturbances, fair, setWeather, type Weather } from '../line.js';
import { Random } from '../random.js';
import type { World } from '../world.js';
import { repeatEvents, shuffleEvents } from './events.js';
import { database, tables } from './tables.js';
import { rest, type Tally } from './tally.js';

const points: Failpoint[] = [
  'claimed',
  'started',
  'acquired',
  'permit_taken',
  'snapshot_announced',
  'plan_written',
  'prepared',
  'file_written',
  'part_written',
  'manifest_written',
  'files_registered',
  'load_submitted',
  'loaded',
  'merge_submitted',
  'submitted',
  'merged',
  'verified',
  'watermark_committed',
  'gold_marked',
  'permit_released',
  'receipt_written',
  'recorded',
];

const ofExtract: Failpoint[] = ['file_written', 'part_written'];

/** Weighted by repetition: a function that hangs takes half a minute. */
const failures: Failure[] = [
  ...Array<Failure>(9).fill('kill'),
  ...Array<Failure>(4).fill('throw'),
  ...Array<Failure>(6).fill('twice'),
  'hang',
];

const outage: Weather = { rate: 1, kinds: ['refused'] };

/** Sees to it that most runs are hit somewhere, some of them more than once. */
export async function armFailpoints(world: World, seed: number, signal: AbortSignal): Promise<void> {
  const random = new Random(seed, 'failpoints');
  while (!signal.aborted) {
    if (world.armed() < tables.length) {
      const point = random.pick(points);
      const failure = random.pick(failures);
      // The function `extract` has a quarter of an hour to hang.
      if (failure !== 'hang' || !ofExtract.includes(point)) world.arm(point, random.pick(tables).table, failure);
    }
    await rest(random.between(200, 1500), signal);
  }
  world.disarm();
}

/** What goes wrong beside that, one thing after the other, as the seed says. */
export async function disturb(world: World, seed: number, tally: Tally, signal: AbortSignal): Promise<void> {
  const random = new Random(seed, 'disturber');
  const faults: [number, () => Promise<unknown>][] = [
    [12, () => weather(world.lines.aws, { rate: 0.15, kinds: disturbances }, random, signal)],
    [12, () => weather(world.lines.snowflake, { rate: 0.1, kinds: disturbances }, random, signal)],
    [2, () => weather(world.lines.aws, outage, random, signal)],
    [2, () => weather(world.lines.snowflake, outage, random, signal)],
    [8, () => shuffleEvents(world, random, tally, signal)],
    [8, () => repeatEvents(world, random, tally)],
    [6, () => stopOne(world, random, tally)],
    [6, () => repeatFailure(world, random, tally)],
    [4, () => restartPostgres(world, random.chance(0.5) ? 'SIGQUIT' : 'SIGINT', tally)],
  ];
  const ladder = faults.flatMap(([weight, fault]) => Array<() => Promise<unknown>>(weight).fill(fault));
  while (!signal.aborted) {
    await random
      .pick(ladder)()
      .catch((error: unknown) => tally.add(`faults that failed (${String(error).slice(0, 120)})`));
    await rest(random.between(200, 1500), signal);
  }
  for (const [name, port] of Object.entries(world.lines)) tally.add(`requests disturbed (${name})`, await setWeather(port, fair));
}

async function weather(port: number, bad: Weather, random: Random, signal: AbortSignal): Promise<void> {
  await setWeather(port, bad);
  await rest(random.between(1000, bad.rate === 1 ? 4000 : 8000), signal);
  await setWeather(port, fair);
}

async function stopOne(world: World, random: Random, tally: Tally): Promise<void> {
  const running = await world.executions('RUNNING');
  if (running.length === 0) return;
  await world.sfn.send(new StopExecutionCommand({ executionArn: random.pick(running), cause: 'torture' }));
  tally.add('aborted');
}

/** An event of an execution's failure that comes late, twice, and perhaps when it has long succeeded. */
async function repeatFailure(world: World, random: Random, tally: Tally): Promise<void> {
  const ended = await world.executions('FAILED');
  if (ended.length === 0) return;
  const executionArn = random.pick(ended);
  const name = executionArn.slice(executionArn.lastIndexOf(':') + 1);
  const run = (await world.runtimeItems()).find(({ pk }) => pk === `run#${name}`)?.run;
  const detail = { executionArn, name, status: 'FAILED', input: JSON.stringify(run) };
  const FunctionName = `firn-${world.state.environment}-on-failure`;
  const client = new LambdaClient(clientSettings(world.state.aws.endpoint));
  await client.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: JSON.stringify({ detail }) }));
  tally.add('failure events repeated');
}

async function restartPostgres(world: World, how: 'SIGQUIT' | 'SIGINT', tally: Tally): Promise<void> {
  const { directory } = world.state;
  const memory = readMemory(directory)!;
  await stopService(memory.processes.find(({ name }) => name === 'postgres')!, how);
  await startPostgres(directory, memory.ports.postgres, memory.logins, (started) => {
    memory.processes = memory.processes.map((service) => (service.name === 'postgres' ? { ...started, code: service.code } : service));
    writeMemory(directory, memory);
  });
  tally.add('restarts of PostgreSQL');
}

/** Redrives runs that have failed, by each way that there is; others are left for the next run to take over. */
export async function mend(world: World, seed: number, tally: Tally, signal: AbortSignal): Promise<void> {
  const random = new Random(seed, 'mender');
  const seen = new Set<string>();
  while (!signal.aborted) {
    try {
      for (const arn of [...(await world.executions('FAILED')), ...(await world.executions('ABORTED'))]) {
        if (seen.has(arn)) continue;
        // A second failure of the same run is left as it is, now and then.
        if (random.chance(0.5)) seen.add(arn);
        if (!random.chance(0.6)) continue;
        tally.add('redrives');
        if (random.chance(0.5)) void world.retry(arn.slice(arn.lastIndexOf(':') + 1)).catch(() => tally.add('redrives refused'));
        else await world.sfn.send(new RedriveExecutionCommand({ executionArn: arn })).catch(() => tally.add('redrives refused'));
      }
      // One of those that are long forgotten.
      const old = [...seen];
      if (old.length > 0 && random.chance(0.2)) {
        tally.add('redrives of old runs');
        await world.sfn.send(new RedriveExecutionCommand({ executionArn: random.pick(old) })).catch(() => {});
      }
    } catch (error) {
      tally.add(`mendings that failed (${String(error).slice(0, 120)})`);
    }
    await rest(random.between(1000, 4000), signal);
  }
}

export const isTortured = (pk: unknown): boolean => pk === `PostgreSQL#${database}`;
