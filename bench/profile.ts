import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from './extract.js';
import type { Table } from './tables.js';

/** Processor seconds of one extraction by what they went into. */
export interface Profile {
  table: Table;
  parts: Record<string, number>;
}

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

const idle = 'idle';
/** A frame and all below it belong to the part of the outermost name found here. */
const parts: [RegExp, string][] = [
  [/^#?scanSome$/, 'finding and decoding fields, dictionaries and bounds of text'],
  [/^chunks$/, 'encoding: dictionaries, bounds, pages'],
  [/^append$/, 'copying from the socket’s buffer'],
  [/^\(garbage collector\)$/, 'garbage collection'],
  [/^\(idle\)$/, idle],
];
const other = 'reading the socket, writing the files, starting';
const elsewhere = 'other threads: zstd, writes to the disk, compiling, collecting garbage';

/** Reads the profile that `node --cpu-prof` has left in a folder, and removes it. `run` is the same process as a whole. */
export async function readProfile(folder: string, run: Run): Promise<Profile> {
  const [name] = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'));
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(join(folder, name!), 'utf8')) as CpuProfile;
  await rm(folder, { recursive: true });
  const partOf = new Map<number, string>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (id: number, inherited: string | null): void => {
    const node = byId.get(id)!;
    const own = inherited ?? parts.find(([pattern]) => pattern.test(node.callFrame.functionName))?.[1] ?? null;
    partOf.set(id, own ?? other);
    for (const child of node.children ?? []) visit(child, own);
  };
  visit(nodes[0]!.id, null);
  const seconds: Record<string, number> = {};
  for (const [i, id] of samples.entries()) {
    const part = partOf.get(id)!;
    seconds[part] = (seconds[part] ?? 0) + timeDeltas[i]! / 1e6;
  }
  const { [idle]: _, ...busy } = seconds;
  const onThread = Object.values(busy).reduce((sum, value) => sum + value, 0);
  return { table: run.table, parts: { ...busy, [elsewhere]: Math.max(0, run.cpu - onThread) } };
}
