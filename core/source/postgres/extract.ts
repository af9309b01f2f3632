import type { Client } from 'pg';
import type { Column } from '../../column.js';
import { FirnError } from '../../errors.js';
import type { Codec } from '../../parquet/compression.js';
import { FileSeries, type OpenFile, type WrittenFile } from '../../parquet/file-series.js';
import { Batch } from '../../parquet/vector.js';
import type { Plan } from '../../plan/plan.js';
import { cancelQuery, connect, type PostgresSecret, query } from './connection.js';
import { CopyReader } from './copy.js';
import { type Decode, generateDecoder } from './decoder.js';
import { applyPolicies, type PolicyTally, type Replaced } from './decoder-policy.js';
import { beginSnapshot, type Reading, readingsOf } from './extract-snapshot.js';
import { copyStatement, nullCursorStatement, selectExpression, type Where } from './query.js';

export interface Extraction {
  connection: PostgresSecret;
  relation: Plan['relation'];
  columns: readonly Column[];
  where: Where;
  /** Target names; they tell which row an error is about. */
  primaryKey?: readonly string[];
  /** String columns with one value for all rows, by target name: `_FIRN_RUN`, `_FIRN_OP`, `_FIRN_ORDER`. */
  constants: Readonly<Record<string, string>>;
  /** Default: zstd, level 1. */
  codec?: Codec;
  /** Compressed size after which a file is closed. Default: 128 MiB. */
  fileBytes?: number;
  /** Connections that read at once. Default: 1. */
  connections?: number;
  /** Key-value metadata of each file. */
  metadata?: Readonly<Record<string, string>>;
  openFile: OpenFile;
  /** Cancels the query at the server. */
  signal?: AbortSignal;
  /** After each row group. */
  onProgress?: (progress: { rows: number; bytes: number }) => void;
}

export interface Extracted {
  rows: number;
  /** None when there are no rows. */
  files: WrittenFile[];
  /** Clock of the source when the snapshot was taken. ISO 8601, UTC, microseconds. */
  readAsOf: string;
  /** Values replaced, by `COLUMN: policy`. */
  policyCounts: Record<string, number>;
  /** The first of them, with the keys of their rows. */
  replaced: Replaced[];
}

const defaultFileBytes = 128 << 20;
/** Of the source's bytes, per row group; two are in memory. */
const rowGroupBytes = 32 << 20;

/**
 * Reads rows of one table from one snapshot and writes them as Parquet files. Memory is bounded whatever the size of the table: two row
 * groups, the pages of one, and about three times the largest row.
 * @throws FirnError as connect and asSourceError say, SchemaChangedDuringRun, CursorIsNull, ValueOutOfRange, Aborted
 */
export async function extract(extraction: Extraction): Promise<Extracted> {
  const { signal, connection } = extraction;
  refuseAborted(signal);
  const client = await connect(connection);
  const cancel = (): void => void cancelQuery(client, connection);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    // It may have come while the connection was made.
    refuseAborted(signal);
    return await read(client, extraction);
  } catch (error) {
    refuseAborted(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    await client.end().catch(() => {});
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw signal.reason instanceof FirnError
    ? signal.reason
    : new FirnError('Aborted', 'The extraction was stopped.', { cause: signal.reason });
}

async function read(client: Client, extraction: Extraction): Promise<Extracted> {
  const { relation, columns, where } = extraction;
  const { oid, readAsOf } = await beginSnapshot(client, relation);
  const readings = await readingsOf(client, oid, relation, columns);
  await refuseNullCursor(client, extraction, readings);

  const tally: PolicyTally = { counts: {}, replaced: [] };
  const decoders = readings.map(({ decoder }) => decoder);
  const decode = generateDecoder(decoders, applyPolicies(relation, columns, decoders, extraction.primaryKey ?? [], tally));
  const expressions = readings.map(({ column, selection }) => selectExpression(column.name, selection));
  const reader = new CopyReader(client, copyStatement(relation, expressions, where));
  const { rows, files } = await writeFiles(reader, decode, extraction);
  if (rows !== reader.rowCount) {
    throw new FirnError(
      'CountMismatch',
      `${relation.schema}.${relation.table}: the source sent ${reader.rowCount} rows, ${rows} were written.`,
    );
  }
  return { rows, files, readAsOf, policyCounts: tally.counts, replaced: tally.replaced };
}

/** The plan leaves such rows out, so one that came since would be missed. */
async function refuseNullCursor(client: Client, { relation, where }: Extraction, readings: Reading[]): Promise<void> {
  const { cursor } = where;
  if (cursor === null || cursor.onNull !== 'error') return;
  if (readings.some(({ column, nullable }) => column.name === cursor.column && !nullable)) return;
  const [found] = await query(client, nullCursorStatement(relation, cursor.column, where));
  if (found !== undefined)
    throw new FirnError('CursorIsNull', `${relation.schema}.${relation.table}: column ${cursor.column} is NULL in some rows.`);
}

async function writeFiles(reader: CopyReader, decode: Decode, extraction: Extraction): Promise<{ rows: number; files: WrittenFile[] }> {
  const { columns, constants, codec = 'zstd', metadata = {}, fileBytes = defaultFileBytes, onProgress } = extraction;
  const fileColumns = columns.map(({ target, parquet }) => ({ name: target, type: parquet }));
  const createBatch = (): Batch =>
    new Batch(
      columns.map(({ parquet }) => parquet),
      rowGroupBytes,
    );
  const series = new FileSeries({ columns: fileColumns, constants, codec, metadata }, fileBytes, extraction.openFile, createBatch);
  let batch = createBatch();
  let rows = 0;
  try {
    while (await reader.fill()) {
      for (;;) {
        reader.start = decode(reader.bytes, reader.view, reader.start, reader.end, batch);
        if (!batch.full) break;
        rows += batch.rows;
        batch = await series.push(batch);
        onProgress?.({ rows, bytes: series.bytes });
      }
    }
    rows += batch.rows;
    const files = await series.close(batch);
    onProgress?.({ rows, bytes: series.bytes });
    return { rows, files };
  } catch (error) {
    reader.destroy();
    await series.abort();
    throw error;
  }
}
