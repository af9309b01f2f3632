import { randomBytes } from 'node:crypto';
import { FirnError } from '../errors.js';
import { failpoint } from '../failpoints.js';
import type { RunLog } from '../log.js';
import type { OpenFile } from '../parquet/file-series.js';
import { piecesOf, restFrom } from '../plan/chunks.js';
import { type PartManifest, partManifestSchema } from '../plan/manifest.js';
import type { Chunk, Plan, RunRef } from '../plan/plan.js';
import { dataFileName, partKey } from '../raw-bucket/layout.js';
import { type RawBucket, writeJsonOnce } from '../raw-bucket/objects.js';
import { openS3File } from '../source/sink-s3.js';
import { type SourceSecret, sourceKind } from '../source/source.js';
import { operations, systemColumns } from '../system-columns.js';
import type { ChunkProgress } from './chunk-parts.js';

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
}

type Progress = Partial<ChunkProgress>;

/** @throws FirnError Internal when there is none */
export function chunkOf(plan: Plan, number: number): Chunk {
  const chunk = plan.chunks.find((one) => one.number === number);
  if (!chunk) throw new FirnError('Internal', `Run ${plan.run.runId} has no chunk ${number}.`);
  return chunk;
}

/**
 * Reads a chunk, or what is left of it, into Parquet files under the plan's prefix, then writes its part manifest. A range of a key is read in
 * pieces; when the time would not suffice for another one, the part says what is left, and the next call goes on from there.
 * Each attempt has file names of its own; of two attempts that finish, the first one's part counts.
 * @throws FirnError as the extraction throws
 */
export async function extractChunk(extracting: Extracting, number: number, { parts, rest }: Progress = {}): Promise<PartManifest> {
  const { run, plan, raw, connection, log, signal } = extracting;
  const chunk = rest ?? chunkOf(plan, number);
  const constants = (operation: string) => ({
    [systemColumns.run]: run.runId,
    [systemColumns.op]: operation,
    [systemColumns.order]: plan.order,
  });
  const files = (): OpenFile => {
    const attempt = randomBytes(6).toString('hex');
    return async (part) => openS3File(raw.client, raw.bucket, `${plan.prefix}${dataFileName(run.runId, number, attempt, part)}`);
  };
  const { extract } = await sourceKind(plan.sourceType);
  const pieces = new Pieces(chunk, extracting.until ?? Number.POSITIVE_INFINITY);
  const began = Date.now();
  const extracted = await extract({
    connection,
    relation: plan.relation,
    columns: plan.columns,
    where: { rowFilter: plan.rowFilter, cursor: plan.cursor, chunk },
    primaryKey: plan.primaryKey,
    constants: constants(operations.row),
    openFile: files(),
    ...(plan.deletes.keys && { keys: { constants: constants(operations.key), openFile: files() } }),
    ...(chunk.steps && { pieces }),
    signal,
  });
  for (const replaced of extracted.replaced) log.warn({ ...replaced }, 'a value followed a lossy policy');
  await failpoint('file_written');
  const part = await writeJsonOnce(raw, partKey(run.runId, number, parts?.length), partManifestSchema, {
    runId: run.runId,
    chunk: number,
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
  log.info({ chunk: number, rows: part.rows, files: part.files.length, handed_back: part.rest !== undefined }, 'extracted');
  return part;
}

/** More than a piece took so far: the next one may be larger. */
const margin = 1.5;

/** The pieces of a chunk that are begun before the time is up. At least one is. */
class Pieces implements Iterable<Chunk> {
  /** What no piece was begun of. */
  rest: Chunk | null = null;

  constructor(
    private readonly chunk: Chunk,
    private readonly until: number,
  ) {}

  *[Symbol.iterator](): Iterator<Chunk> {
    let began = Date.now();
    let longest = 0;
    for (const [index, piece] of piecesOf(this.chunk).entries()) {
      if (index > 0) {
        const now = Date.now();
        longest = Math.max(longest, now - began);
        began = now;
        if (now + margin * longest > this.until) {
          this.rest = restFrom(this.chunk, piece.from!);
          return;
        }
      }
      yield piece;
    }
  }
}
