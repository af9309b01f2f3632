import type { Run } from './extract.js';
import type { Profile } from './profile.js';
import { floor } from './runners.js';
import type { Table } from './tables.js';

export interface Figures {
  seconds: number;
  cpu: number;
  rss: number;
  bytes: number;
  /** Of the floor's throughput, round by round. */
  ofFloor: number;
}

export interface Measured {
  scale: number;
  rounds: number;
  server: string;
  /** The machine's load over a minute, before and after. */
  load: [number, number];
  /** Round after round. */
  runs: Run[][];
  /** The floor and one connection, with the server on a processor of its own. */
  oneCore: Run[][];
  /** Of one connection, in bytes; `size` 4 is the table itself. */
  memory: { table: Table; size: number; rss: number }[];
  profiles: Profile[];
  /** Why a runner has no figures, by its name and table. */
  missing: { runner: string; table: Table | null; why: string }[];
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function figuresOf(rounds: Run[][], runner: string, table: Table): Figures | null {
  const pairs = rounds.flatMap((runs) => {
    const run = runs.find((each) => each.runner === runner && each.table === table);
    const base = runs.find((each) => each.runner === floor.name && each.table === table);
    return run === undefined ? [] : [{ ...run, ofFloor: base === undefined ? Number.NaN : base.seconds / run.seconds }];
  });
  if (pairs.length === 0) return null;
  const of = (key: keyof Figures): number => median(pairs.map((pair) => pair[key]));
  return { seconds: of('seconds'), cpu: of('cpu'), rss: of('rss'), bytes: of('bytes'), ofFloor: of('ofFloor') };
}
