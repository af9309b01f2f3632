import type { Client } from 'pg';
import { FirnError } from '../../errors.js';
import { columnCompressors } from '../../parquet/file.js';
import { FileSeries, type WrittenFile } from '../../parquet/file-series.js';
import type { FileSink } from '../sink.js';
import { CopiedRows } from './copied-rows.js';
import { CopyReader } from './copy.js';
import type { TableDecoder } from './decoder.js';
import type { Extraction } from './extract.js';
import type { Sessions } from './extract-sessions.js';

const defaultFileBytes = 128 << 20;
/** Of the source's bytes, per row group; each connection has two in memory. */
const rowGroupBytes = 16 << 20;

export interface Copied {
  rows: number;
  files: WrittenFile[];
  /** How many were open. */
  connections: number;
  /** Why others were not. */
  refused: Error[];
}

/**
 * Runs the COPY statements on the sessions, each session taking the next statement when it is open or done with one, and writes files of its
 * own. One that cannot be opened is done without and told. When one fails, all are stopped, and the first error is
 * thrown. They end when all is read, while the rest is written, unless keys are to be read too.
 */
export async function copyToFiles(
  openings: readonly [Client, ...Promise<Client | Error>[]],
  sessions: Sessions,
  statements: Iterator<string>,
  decoder: TableDecoder,
  extraction: Extraction,
): Promise<Copied> {
  const refused: Error[] = [];
  const all = createSeries(openings.length, extraction, decoder);
  let connections = 0;
  let reading = openings.length;
  // Not one before the other: the first one's lock protects a COPY that another has just sent.
  const hasRead = (): void => {
    if (--reading === 0 && extraction.keys === undefined) void sessions.end();
  };
  const progress = { rows: 0 };
  const report = (rows: number): void => {
    progress.rows += rows;
    extraction.onProgress?.({ rows: progress.rows, bytes: all.reduce((sum, series) => sum + series.bytes, 0) });
  };
  let stopped: Promise<void> | undefined;
  const writers = openings.map(async (opening, i) => {
    const session = await opening;
    if (session instanceof Error) refused.push(session);
    if (session instanceof Error || stopped !== undefined) return hasRead();
    connections++;
    try {
      const last = await drain(session, statements, all[i]!, extraction, report);
      hasRead();
      await all[i]!.close(last);
    } catch (error) {
      stopped ??= sessions.stop();
      throw error;
    }
  });
  // The first failure ends the others by their connections; it is the one to tell.
  const failure = await Promise.all(writers).then(
    () => null,
    (error: unknown) => ({ error }),
  );
  await Promise.allSettled([...writers, stopped]);
  if (failure !== null) {
    await Promise.all(all.map((series) => series.abort()));
    throw failure.error;
  }
  return { rows: progress.rows, files: all.flatMap(({ files }) => files), connections, refused };
}

/** One for each connection. */
function createSeries(count: number, extraction: Extraction, decoder: TableDecoder): FileSeries<CopiedRows>[] {
  const { relation, columns, constants, codec = 'zstd', metadata = {}, fileBytes = defaultFileBytes, openFile } = extraction;
  const format = { columns: columns.map(({ target, parquet }) => ({ name: target, type: parquet })), constants, codec, metadata };
  const compressors = columnCompressors(format);
  let part = 0;
  const openNext = (): Promise<FileSink> => openFile(part++);
  const createRows = (): CopiedRows => new CopiedRows(decoder.kernels, decoder, rowGroupBytes, `${relation.schema}.${relation.table}`);
  return Array.from({ length: count }, () => new FileSeries(format, fileBytes, openNext, createRows, compressors));
}

/** Answers what is not written yet. */
async function drain(
  session: Client,
  queue: Iterator<string>,
  series: FileSeries<CopiedRows>,
  { relation }: Extraction,
  report: (rows: number) => void,
): Promise<CopiedRows> {
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
  return group;
}
