import { randomBytes } from 'node:crypto';
import { FirnError } from '../errors.js';
import { failpoint } from '../failpoints.js';
import type { RunLog } from '../log.js';
import type { OpenFile } from '../parquet/file-series.js';
import { piecesOf, restAfter } from '../plan/chunks.js';
import { type PartManifest, partManifestSchema } from '../plan/manifest.js';
import type { Chunk, Plan, RunRef } from '../plan/plan.js';
import { dataFileName, partKey } from '../raw-bucket/layout.js';
import { type RawBucket, writeJsonOnce } from '../raw-bucket/objects.js';
import { fileMetadata } from '../source/file-metadata.js';
import { sourceKind } from '../source/kinds.js';
import { openS3File } from '../source/sink-s3.js';
import type { SourceSecret } from '../source/source.js';
import { operations, systemColumns } from '../system-columns.js';
import { type ChunkProgress, isTakenByGlue } from './chunk-parts.js';
import { Pace } from './pace.js';

export interface Extracting {
  run: RunRef;
  plan: Plan;
  raw: RawBucket;
  connection: SourceSecret;
  log: RunLog;
  /** Aborts the read; its reason is thrown. */
  signal: AbortSignal;
  /** Until when a piece of a chunk is to be read, else what is left is handed back. Milliseconds of Date.now(). @default - no limit */
  until?: number;
  /** A part is written at the first step after so many milliseconds. @default 30 s */
  partAfter?: number;
}

/** @throws FirnError Internal when there is none */
export function chunkOf(plan: Plan, number: number): Chunk {
  const chunk = plan.chunks.find((one) => one.number === number);
  if (!chunk) throw new FirnError('Internal', `Run ${plan.run.runId} has no chunk ${number}.`);
  return chunk;
}

/**
 * Reads a chunk, or what is left of it, part after part, until nothing is left or the time would not suffice for another piece. Each part is
 * one snapshot, and is written down with what it leaves to the next: whoever goes on, in whatever attempt, goes on from there. When the
 * signal comes after a part was written, what is left is handed back; before one, its reason is thrown.
 * @returns the last part; it has `rest` when something is left
 * @throws FirnError as the extraction throws, ChunkTooLarge when Glue has begun to read the run
 */
export async function extractChunk(extracting: Extracting, number: number, progress: Partial<ChunkProgress> = {}): Promise<PartManifest> {
  const { plan, log, signal } = extracting;
  const pace = new Pace(extracting.until ?? Number.POSITIVE_INFINITY);
  let last: PartManifest | null = null;
  let rest = progress.rest ?? chunkOf(plan, number);
  for (let place = progress.parts?.length ?? 0; ; place++) {
    try {
      last = await extractPart(extracting, rest, place, pace);
    } catch (error) {
      if (last === null || !signal.aborted) throw error;
      log.warn({ chunk: number, parts: place }, 'out of time: what is left is handed back');
      return last;
    }
    if (last.rest === undefined || !pace.allows()) return last;
    rest = last.rest;
  }
}

/** Reads pieces of `chunk` from one snapshot into files, then writes the part manifest. Answers another attempt's part when that was first. */
async function extractPart(extracting: Extracting, chunk: Chunk, place: number, pace: Pace): Promise<PartManifest> {
  const { run, plan, raw, connection, log, signal } = extracting;
  const constants = (operation: string) => ({
    [systemColumns.run]: run.runId,
    [systemColumns.op]: operation,
    [systemColumns.order]: plan.order,
  });
  const files = (): OpenFile => {
    const attempt = randomBytes(6).toString('hex');
    return async (part) =>
      openS3File(raw.client, raw.bucket, `${plan.prefix}${dataFileName(run.runId, chunk.number, attempt, part)}`, signal);
  };
  const { extract } = await sourceKind(plan.sourceType);
  const began = Date.now();
  const pieces = new Pieces(chunk, pace, began + (extracting.partAfter ?? partAfter));
  const extracted = await extract({
    connection,
    relation: plan.relation,
    columns: plan.columns,
    where: { rowFilter: plan.rowFilter, cursor: plan.cursor, chunk },
    primaryKey: plan.primaryKey,
    constants: constants(operations.row),
    metadata: fileMetadata({ ...run, run: run.runId }, plan.columns),
    openFile: files(),
    ...(plan.deletes.keys && { keys: { constants: constants(operations.key), openFile: files() } }),
    ...(pieces.of.length > 1 ? { pieces } : { connections: plan.rowFilter === null ? connections : 1 }),
    signal,
  });
  for (const { message } of extracted.refused ?? []) log.warn({ reason: message }, 'read by fewer connections');
  for (const replaced of extracted.replaced) log.warn({ ...replaced }, 'a value followed a lossy policy');
  await failpoint('file_written');
  if (plan.engine?.movable && (await isTakenByGlue(raw, run.runId))) {
    throw new FirnError('ChunkTooLarge', `Glue reads what is left of ${run.table}: this function has been given up.`);
  }
  const part = await writeJsonOnce(raw, partKey(run.runId, chunk.number, place), partManifestSchema, {
    runId: run.runId,
    chunk: chunk.number,
    files: [
      ...extracted.files.map(({ name, rows, bytes }) => ({ key: name, rows, bytes })),
      ...(extracted.keys?.files ?? []).map(({ name, rows, bytes }) => ({ key: name, rows, bytes, keys: true })),
    ],
    rows: extracted.rows,
    ...(extracted.keys && { keys: extracted.keys.rows }),
    readAsOf: extracted.readAsOf,
    policyCounts: extracted.policyCounts,
    seconds: (Date.now() - began) / 1000,
    ...(pieces.rest && { rest: pieces.rest }),
  });
  await failpoint('part_written');
  log.info({ chunk: chunk.number, place, rows: part.rows, files: part.files.length, done: part.rest === undefined }, 'extracted');
  return part;
}

/**
 * By which a table is read that is not cut into chunks: a function decodes twice of what one of the server's processes sends. A row filter
 * may go by an index: once is enough.
 */
const connections = 2;
/** So much reading is lost at most, beside the piece under way, when a function ends before its part is written. */
const partAfter = 30_000;

/** The pieces of a part: as many as are begun before it is to be written, or the time is up. */
class Pieces implements Iterable<Chunk> {
  readonly of: Chunk[];
  /** What no piece was begun of. */
  rest: Chunk | null = null;

  constructor(
    private readonly chunk: Chunk,
    private readonly pace: Pace,
    private readonly until: number,
  ) {
    this.of = piecesOf(chunk);
  }

  *[Symbol.iterator](): Iterator<Chunk> {
    for (const [index, piece] of this.of.entries()) {
      if (index > 0 && (Date.now() >= this.until || !this.pace.allows())) {
        this.rest = restAfter(this.chunk, index);
        return;
      }
      this.pace.begin();
      yield piece;
    }
  }
}
