import { randomBytes } from 'node:crypto';
import { FirnError } from '../errors.js';
import { failpoint } from '../failpoints.js';
import type { RunLog } from '../log.js';
import type { OpenFile } from '../parquet/file-series.js';
import { type PartManifest, partManifestSchema } from '../plan/manifest.js';
import type { Plan, RunRef } from '../plan/plan.js';
import { dataFileName, partKey } from '../raw-bucket/layout.js';
import { type RawBucket, readJson, writeJsonOnce } from '../raw-bucket/objects.js';
import { openS3File } from '../source/sink-s3.js';
import { type SourceSecret, sourceKind } from '../source/source.js';
import { operations, systemColumns } from '../system-columns.js';

export interface Extracting {
  run: RunRef;
  plan: Plan;
  raw: RawBucket;
  connection: SourceSecret;
  log: RunLog;
  /** Aborts the read; its reason is thrown. */
  signal: AbortSignal;
}

/** The part manifest of a chunk that an earlier attempt has finished, or null. */
export const readPart = (raw: RawBucket, run: RunRef, chunk: number): Promise<PartManifest | null> =>
  readJson(raw, partKey(run.runId, chunk), partManifestSchema);

/**
 * Reads one chunk into Parquet files under the plan's prefix, then writes its part manifest: from then on the chunk is done.
 * Each attempt has file names of its own; of two attempts that finish, the first one's part counts.
 * @throws FirnError as the extraction throws
 */
export async function extractChunk({ run, plan, raw, connection, log, signal }: Extracting, number: number): Promise<PartManifest> {
  const chunk = plan.chunks.find((one) => one.number === number);
  if (!chunk) throw new FirnError('Internal', `Run ${run.runId} has no chunk ${number}.`);
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
  const extracted = await extract({
    connection,
    relation: plan.relation,
    columns: plan.columns,
    where: { rowFilter: plan.rowFilter, cursor: plan.cursor, chunk },
    primaryKey: plan.primaryKey,
    constants: constants(operations.row),
    openFile: files(),
    ...(plan.deletes.keys && { keys: { constants: constants(operations.key), openFile: files() } }),
    signal,
  });
  for (const replaced of extracted.replaced) log.warn({ ...replaced }, 'a value followed a lossy policy');
  await failpoint('file_written');
  const written = await writeJsonOnce(raw, partKey(run.runId, number), partManifestSchema, {
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
  });
  await failpoint('part_written');
  log.info({ chunk: number, rows: written.rows, files: written.files.length }, 'extracted');
  return written;
}
