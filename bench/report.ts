import { readFileSync } from 'node:fs';
import os from 'node:os';
import { figuresOf, type Measured } from './figures.js';
import { alone, floor, type Runner } from './runners.js';
import { type Table, tables } from './tables.js';
import { targets } from './targets.js';

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

Written by \`npm run bench -- extract\` on ${date}; every figure in a table was measured by that run. Those in the
explanations were measured apart, most of them on an AMD EPYC with as many processors.

- Machine: ${processor()}, ${os.cpus().length} processors shared by server and client, ${memory} GiB, ${os.type()} ${os.release()}.
- Load of the machine: ${load.map((value) => value.toFixed(1)).join(' at the start, ')} at the end. Above ${os.cpus().length}, others were at work: compare
  the columns "of the floor" and "CPU s" rather than seconds.
- Source: ${server} on 127.0.0.1, no TLS, warm cache; tables at scale ${scale}: TPC-H \`lineitem\` (6 M rows at scale 1), \`firenibble\` (2 M rows,
  random numbers and text that do not compress), \`orders_wide\` (0.5 M rows with NULLs, jsonb, arrays, numerics).
- Target: Parquet files on the local disk.
- ${rounds} round${rounds === 1 ? '' : 's'}, the runners one after another within a round; medians${firstRoundOnly(runners)}. Seconds are those of the whole process, its start included.
  "Of the floor" is the floor's time by the runner's in the same round. CPU and peak memory are the client's alone.
- "Times as fast": medians of pairs. Just before each run of a peer, in every other round just after it, two connections of Firn read the same
  table, so that both have the same neighbours on the machine; these runs are in no table.
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
