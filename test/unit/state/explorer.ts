import { AsyncLocalStorage } from 'node:async_hooks';
import type { Random } from '../source/random.js';

/** Something that runs on its own: a call of a Lambda, Snowflake's repetition of a request, somebody at the console. */
interface Actor {
  number: number;
  name: string;
}

/** `now`: it goes on. `others first`: it waits for them, and comes back when each of them waits too. `last`: when nobody else is left. */
export type Urgency = 'now' | 'others first' | 'last';

interface Waiting {
  actor: Actor;
  resume: () => void;
  urgency: Urgency;
  /** Since which decision. */
  since: number;
}

/** At which decisions another actor than the usual one goes on, and how many of them are passed over. */
export type Deviations = ReadonlyMap<number, number>;

const current = new AsyncLocalStorage<Actor>();

/**
 * Runs actors one step at a time. A step is what lies between two calls of `step`, that is, one access to DynamoDB or Step Functions and
 * what follows from it. The usual order: an actor goes on until it ends or waits, then the next one; deviations say where another goes on.
 * The same deviations make the same schedule.
 */
export class Schedule {
  /** How many actors could have gone on at each decision. */
  readonly choices: number[] = [];
  /** Who went on, for the message of a failure. */
  readonly trace: string[] = [];
  private waiting: Waiting[] = [];
  private actors = 0;
  private failures: unknown[] = [];
  private last = 0;

  constructor(
    private readonly deviations: Deviations,
    private readonly limit = 4000,
  ) {}

  spawn(name: string, run: () => Promise<void>, urgency: Urgency = 'now'): void {
    const actor = { number: ++this.actors, name };
    void current.run(actor, async () => {
      try {
        await this.step(urgency);
        await run();
      } catch (error) {
        this.failures.push(error);
      }
    });
  }

  /** To be awaited before each access to what the actors share. */
  step(urgency: Urgency = 'now'): Promise<void> {
    const actor = current.getStore()!;
    return new Promise((resume) => this.waiting.push({ actor, resume, urgency, since: this.choices.length }));
  }

  /** Until all actors have ended. */
  async run(): Promise<void> {
    for (;;) {
      // All that follows from a step is microtasks.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.failures.length > 0) throw this.failures[0];
      if (this.waiting.length === 0) return;
      if (this.choices.length >= this.limit) throw new Error('the actors wait for each other for ever');
      const order = this.waiting.toSorted((a, b) => this.rank(a) - this.rank(b));
      const passed = Math.min(this.deviations.get(this.choices.length) ?? 0, order.length - 1);
      this.choices.push(order.length);
      const next = order[passed]!;
      this.waiting.splice(this.waiting.indexOf(next), 1);
      this.last = next.actor.number;
      this.trace.push(next.actor.name);
      next.resume();
    }
  }

  private rank({ actor, urgency, since }: Waiting): number {
    if (urgency === 'now') return (actor.number - this.last + this.actors + 1) % (this.actors + 1);
    return (urgency === 'others first' ? 1 : 2) * 1_000_000 + since;
  }
}

export interface Explored {
  schedules: number;
  steps: number;
}

/**
 * Runs a scenario, which answers how many of its decisions are worth a deviation, by the usual schedule, by every schedule with one deviation, and by `samples` with two to four deviations chosen by chance.
 * @throws what a schedule throws, with its deviations and its trace in the message
 */
export async function explore(scenario: (schedule: Schedule) => Promise<number>, samples: number, random: Random): Promise<Explored> {
  const explored = { schedules: 0, steps: 0 };
  const run = async (deviations: Deviations): Promise<number[]> => {
    let decisions = 0;
    const schedule = new Schedule(deviations);
    try {
      decisions = await scenario(schedule);
    } catch (error) {
      const at = JSON.stringify([...deviations]);
      throw new Error(`deviations ${at}: ${error instanceof Error ? error.message : error}\n${compact(schedule.trace)}`, { cause: error });
    }
    explored.schedules++;
    explored.steps += schedule.choices.length;
    return schedule.choices.slice(0, decisions);
  };

  const usual = await run(new Map());
  for (const [decision, choices] of usual.entries()) {
    for (let passed = 1; passed < choices; passed++) await run(new Map([[decision, passed]]));
  }
  for (let i = 0; i < samples; i++) {
    const count = 2 + random.below(3);
    await run(new Map(Array.from({ length: count }, () => [random.below(usual.length), 1 + random.below(4)])));
  }
  return explored;
}

/** `a a a b` as `a×3 b`. */
function compact(trace: string[]): string {
  const parts: { name: string; times: number }[] = [];
  for (const name of trace) {
    const before = parts.at(-1);
    if (before?.name === name) before.times++;
    else parts.push({ name, times: 1 });
  }
  return parts.map(({ name, times }) => (times === 1 ? name : `${name}×${times}`)).join(' ');
}
