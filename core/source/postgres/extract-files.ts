import type { Client } from 'pg';
import { FirnError } from '../../errors.js';
import { FileSeries, type WrittenFile } from '../../parquet/file-series.js';
import { cancelQuery } from './connection.js';
import { CopiedRows } from './copied-rows.js';
import { CopyReader } from './copy.js';
import type { TableDecoder } from './decoder.js';
import type { Extraction } from './extract.js';

const defaultFileBytes = 128 << 20;
/** Of the source's bytes, per row group; each connection has two in memory. */
const rowGroupBytes = 16 << 20;

/** `connections`: how many have read. */
export interface Copied {
  rows: number;
  files: WrittenFile[];
  connections: number;
}

/**
 * Runs the COPY statements on the sessions, each session taking the next statement when it is open or done with one, and writes files of its
 * own. Of `others`, which are being opened, one that cannot be is done without. When one fails, all end, and the first error is thrown.
 */
export async function copyToFiles(
  first: Client,
  others: readonly Promise<Client>[],
  statements: Iterator<string>,
  decoder: TableDecoder,
  extraction: Extraction,
): Promise<Copied> {
  let part = 0;
  const openings = [first, ...others.map((opening) => opening.catch(() => null))];
  const all = openings.map(() => createSeries(extraction, decoder, () => part++));
  let connections = 0;
  const progress = { rows: 0 };
  const report = (rows: number): void => {
    progress.rows += rows;
    extraction.onProgress?.({ rows: progress.rows, bytes: all.reduce((sum, series) => sum + series.bytes, 0) });
  };
  let stops: Promise<void>[] | undefined;
  const writers = openings.map(async (opening, i) => {
    try {
      const session = await opening;
      if (session === null || stops !== undefined) return;
      connections++;
      await drain(session, statements, all[i]!, extraction, report);
    } catch (error) {
      stops ??= openings.map(async (other) => {
        const session = await other;
        if (session !== null) await cancelQuery(session, extraction.connection);
      });
      throw error;
    }
  });
  // The first failure ends the others by their connections; it is the one to tell.
  const failure = await Promise.all(writers).then(
    () => null,
    (error: unknown) => ({ error }),
  );
  await Promise.allSettled([...writers, ...(stops ?? [])]);
  if (failure !== null) {
    await Promise.all(all.map((series) => series.abort()));
    throw failure.error;
  }
  return { rows: progress.rows, files: all.flatMap(({ files }) => files), connections };
}

function createSeries(extraction: Extraction, decoder: TableDecoder, nextPart: () => number): FileSeries<CopiedRows> {
  const { columns, constants, codec = 'zstd', metadata = {}, fileBytes = defaultFileBytes, openFile } = extraction;
  const fileColumns = columns.map(({ target, parquet }) => ({ name: target, type: parquet }));
  return new FileSeries(
    { columns: fileColumns, constants, codec, metadata },
    fileBytes,
    () => openFile(nextPart()),
    () => new CopiedRows(decoder.kernels, decoder, rowGroupBytes),
  );
}

async function drain(
  session: Client,
  queue: Iterator<string>,
  series: FileSeries<CopiedRows>,
  { relation }: Extraction,
  report: (rows: number) => void,
): Promise<void> {
  let group = series.createBatch();
  for (let next = queue.next(); !next.done; next = queue.next()) {
    const reader = new CopyReader(session, next.value);
    // Rows of this statement: what was scanned, less what the group held when it began.
    let rows = -group.rows;
    while (await reader.read(group)) {
      while (group.full) {
        const filled = group;
        rows += filled.rows;
        report(filled.rows);
        group = await series.push(filled, (empty) => empty.takeRest(filled));
        group.scan();
      }
    }
    rows += group.rows;
    if (rows !== reader.rowCount) {
      throw new FirnError(
        'CountMismatch',
        `${relation.schema}.${relation.table}: the source sent ${reader.rowCount} rows, ${rows} were read.`,
      );
    }
  }
  report(group.rows);
  await series.close(group);
}
