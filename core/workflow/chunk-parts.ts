import * as z from 'zod';
import { type PartManifest, partManifestSchema } from '../plan/manifest.js';
import type { Chunk, Plan } from '../plan/plan.js';
import { glueTakesKey, partKey } from '../raw-bucket/layout.js';
import { type RawBucket, readJson, writeJsonOnce } from '../raw-bucket/objects.js';

/** How far a chunk has been read. A part that leaves something is followed by another. */
export interface ChunkProgress {
  parts: PartManifest[];
  /** What the next part is to read; null: nothing is left. */
  rest: Chunk | null;
}

export async function readProgress(raw: RawBucket, runId: string, chunk: Chunk): Promise<ChunkProgress> {
  const parts: PartManifest[] = [];
  for (let rest = chunk; ; ) {
    const part = await readJson(raw, partKey(runId, chunk.number, parts.length), partManifestSchema);
    if (part === null) return { parts, rest };
    parts.push(part);
    if (part.rest === undefined) return { parts, rest: null };
    rest = part.rest;
  }
}

/** S3 answers many small reads at once, and there may be a thousand. */
const readsAtOnce = 50;

/** The progress of all chunks of a plan, in their order. */
export async function readAllProgress(raw: RawBucket, { run, chunks }: Pick<Plan, 'run' | 'chunks'>): Promise<ChunkProgress[]> {
  const all: ChunkProgress[] = [];
  for (let from = 0; from < chunks.length; from += readsAtOnce) {
    const some = chunks.slice(from, from + readsAtOnce);
    all.push(...(await Promise.all(some.map((chunk) => readProgress(raw, run.runId, chunk)))));
  }
  return all;
}

const takenSchema = z.object({ at: z.iso.datetime() });

/** From here on Glue alone reads the run: functions that were given up, and still run, write no more parts. */
export async function takeByGlue(raw: RawBucket, runId: string): Promise<void> {
  await writeJsonOnce(raw, glueTakesKey(runId), takenSchema, { at: new Date().toISOString() });
}

export const isTakenByGlue = async (raw: RawBucket, runId: string): Promise<boolean> =>
  (await readJson(raw, glueTakesKey(runId), takenSchema)) !== null;
