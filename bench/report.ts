import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Run } from './extract.js';
import type { Profile } from './profile.js';
import { alone, floor, type Runner } from './runners.js';
import { type Table, tables } from './tables.js';
import { targets } from './targets.js';

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

const mebibytes = (bytes: number): string => (bytes === 0 ? '–' : String(Math.round(bytes / 2 ** 20)));

function tableOf(measured: Measured, runners: Runner[], table: Table): string {
  const rows = runners.flatMap(({ name, writes }) => {
    const figures = figuresOf(measured.runs, name, table);
    if (figures === null) return [];
    const ofFloor = writes ? figures.ofFloor.toFixed(2) : '1';
    return [
      `| ${name} | ${figures.seconds.toFixed(1)} | ${ofFloor} | ${figures.cpu.toFixed(1)} | ${mebibytes(figures.rss)} | ${mebibytes(figures.bytes)} |`,
    ];
  });
  return [
    `### ${table}`,
    '',
    '| | seconds | of the floor | CPU s | peak MiB | Parquet MiB |',
    '|---|---:|---:|---:|---:|---:|',
    ...rows,
    '',
  ].join('\n');
}

function oneCoreTable({ oneCore }: Measured): string {
  const rows = tables.flatMap((table) => {
    const figures = figuresOf(oneCore, alone.name, table);
    const base = figuresOf(oneCore, floor.name, table);
    if (figures === null || base === null) return [];
    return [
      `| ${table} | ${base.seconds.toFixed(1)} | ${figures.seconds.toFixed(1)} | ${figures.ofFloor.toFixed(2)} | ${figures.cpu.toFixed(1)} |`,
    ];
  });
  if (rows.length === 0) return '';
  return `## One processor for the reader

The server on one processor, the reader with all its threads on the other (\`taskset\`).

| | floor, seconds | Firn, 1 connection, seconds | of the floor | CPU s |
|---|---:|---:|---:|---:|
${rows.join('\n')}

`;
}

function memoryTable({ memory }: Measured): string {
  const rows = tables.flatMap((table) => {
    const sizes = [1, 4, 16].map((size) => memory.find((each) => each.table === table && each.size === size));
    return sizes.every((each) => each !== undefined) ? [`| ${table} | ${sizes.map((each) => mebibytes(each!.rss)).join(' | ')} |`] : [];
  });
  if (rows.length === 0) return '';
  return `## Memory by the size of the table

Peak MiB of one connection for a quarter of each table (1×), the whole (4×) and four times its rows (16×).

| | 1× | 4× | 16× |
|---|---:|---:|---:|
${rows.join('\n')}

`;
}

function profileTable({ profiles }: Measured): string {
  if (profiles.length === 0) return '';
  const names = [...new Set(profiles.flatMap(({ parts }) => Object.keys(parts)))];
  const rows = names.map((name) => `| ${name} | ${profiles.map(({ parts }) => (parts[name] ?? 0).toFixed(2)).join(' | ')} |`);
  return `## Where the time goes

Processor seconds of one connection, by \`node --cpu-prof\` in a run of its own; what the main thread did not use, other threads did.

| | ${profiles.map(({ table }) => table).join(' | ')} |
|---|${profiles.map(() => '---:').join('|')}|
${rows.join('\n')}

${readFileSync(new URL('./profile.md', import.meta.url), 'utf8')}
`;
}

export function report(measured: Measured, runners: Runner[], date: string): string {
  const { scale, rounds, server, load, missing } = measured;
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return `# Performance of the extraction

Written by \`npm run bench -- extract\` on ${date}; every figure below was measured by that run.

- Machine: ${processor()}, ${os.cpus().length} processors shared by server and client, ${memory} GiB, ${os.type()} ${os.release()}.
- Load of the machine: ${load.map((value) => value.toFixed(1)).join(' at the start, ')} at the end. Above ${os.cpus().length}, others were at work: compare
  the columns "of the floor" and "CPU s" rather than seconds.
- Source: ${server} on 127.0.0.1, no TLS, warm cache; tables at scale ${scale}: TPC-H \`lineitem\` (6 M rows at scale 1), \`firenibble\` (2 M rows,
  random numbers and text that do not compress), \`orders_wide\` (0.5 M rows with NULLs, jsonb, arrays, numerics).
- Target: Parquet files on the local disk.
- ${rounds} round${rounds === 1 ? '' : 's'}, the runners one after another within a round; medians${firstRoundOnly(runners)}. Seconds are those of the whole process, its start included.
  "Of the floor" is the floor's time by the runner's in the same round. CPU and peak memory are the client's alone.
- Every output was read back by DuckDB and its row count and checksums compared with the table's.

${targets(measured)}
## Results

${tables
  .filter((table) => runners.some(({ name }) => figuresOf(measured.runs, name, table) !== null))
  .map((table) => tableOf(measured, runners, table))
  .join('\n')}
![Seconds by table](performance.svg)

${oneCoreTable(measured)}${memoryTable(measured)}${profileTable(measured)}## Settings

| | version | settings |
|---|---|---|
${runners.map(({ name, packages, settings }) => `| ${name} | ${packages?.names.join(', ') ?? ''} | ${settings} |`).join('\n')}
${missing.length === 0 ? '' : `\n## Not measured\n\n${missing.map(({ runner, table, why }) => `- ${runner}${table === null ? '' : `, ${table}`}: ${why}`).join('\n')}\n`}`;
}

function firstRoundOnly(runners: Runner[]): string {
  const names = runners.filter(({ once }) => once).map(({ name }) => name);
  return names.length === 0 ? '' : `\n  (${names.join(', ')}: first round only)`;
}

function processor(): string {
  const model = os.cpus()[0]?.model.trim();
  if (model) return model;
  return /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? os.arch();
}
