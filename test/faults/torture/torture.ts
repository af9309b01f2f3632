import { World } from '../world.js';
import { callEverySecond } from './caller.js';
import { armFailpoints, disturb, mend } from './disturber.js';
import { makeTables } from './tables.js';
import { Tally } from './tally.js';
import { raiseTheDead, settle, verdict } from './verdict.js';
import { Writer, writerCount } from './writer.js';

export interface Torture {
  /** Of a fault sandbox that is up. */
  directory: string;
  minutes: number;
  /** Determines the workload and the schedule of the faults. */
  seed: number;
  print: (line: string) => void;
}

/**
 * Writes, runs and breaks for some minutes; then the source rests, what has failed is redriven, each table is run once more.
 * @returns what is wrong then, one line each
 */
export async function torture({ directory, minutes, seed, print }: Torture): Promise<{ wrong: string[]; tally: Tally }> {
  const world = World.open(directory);
  const tally = new Tally();
  try {
    await makeTables(world);
    const end = new AbortController();
    const { signal } = end;
    const began = Date.now();
    const say = (text: string) => print(`${Math.round((Date.now() - began) / 1000)} s: ${text}`);
    const progress = setInterval(() => say(tally.line()), 30_000);
    setTimeout(() => end.abort(), minutes * 60_000);

    const longest = Math.min(180, minutes * 15);
    const writers = Array.from(
      { length: writerCount },
      (_, n) => new Writer(world.state.postgres.adminUrl, n, seed, longest, tally, signal),
    );
    const [answers] = await Promise.all([
      callEverySecond(world, seed, tally, signal),
      ...writers.map((writer) => writer.run()),
      armFailpoints(world, seed, signal),
      disturb(world, seed, tally, signal),
      mend(world, seed, tally, signal),
    ]);
    clearInterval(progress);
    tally.add('failpoints hit', world.hits());
    say('the source rests');
    await settle(world);
    const undead = await raiseTheDead(world, tally);
    say('what has failed is redriven');
    const wrong = [...answers, ...undead, ...(await verdict(world, tally))];
    say('compared');
    return { wrong, tally };
  } finally {
    await world.close();
  }
}
