import type { Client } from 'pg';
import type { Column } from '../../column.js';
import { FirnError } from '../../errors.js';
import type { Codec } from '../../parquet/compression.js';
import type { OpenFile, WrittenFile } from '../../parquet/file-series.js';
import type { Chunk, Plan } from '../../plan/plan.js';
import { cancelQuery, connect, type PostgresSecret, query } from './connection.js';
import { TableDecoder } from './decoder.js';
import { applyPolicies, type PolicyTally, type Replaced } from './decoder-policy.js';
import { copyToFiles } from './extract-files.js';
import { sharedRead } from './extract-ranges.js';
import { beginSnapshot, joinSnapshot, type Reading, readingsOf } from './extract-snapshot.js';
import { tellInvalidText } from './invalid-text.js';
import { readExpression } from './mask.js';
import { copyStatement, nullCursorStatement, type Where } from './query.js';

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
  /** Ranges that are read one after another instead of `where.chunk`; each is asked for when the one before is read. One connection only. */
  pieces?: Iterable<Chunk>;
  openFile: OpenFile;
  /** Reads the key of each row too, in the snapshot of the rows, into files of their own. */
  keys?: { constants: Readonly<Record<string, string>>; openFile: OpenFile };
  /** Cancels the query at the server. */
  signal?: AbortSignal;
  /** After each row group. */
  onProgress?: (progress: { rows: number; bytes: number }) => void;
}

export interface Extracted {
  rows: number;
  /** None when there are no rows. */
  files: WrittenFile[];
  /** The files of keys, where they were to be read. */
  keys?: { rows: number; files: WrittenFile[] };
  /** Clock of the source when the snapshot was taken. ISO 8601, UTC, microseconds. */
  readAsOf: string;
  /** Values replaced, by `COLUMN: policy`. */
  policyCounts: Record<string, number>;
  /** The first of them, with the keys of their rows. */
  replaced: Replaced[];
}

/**
 * Reads rows of one table from one snapshot and writes them as Parquet files. Memory is bounded whatever the size of the table: per
 * connection two row groups, the pages of one, and about three times the largest row.
 * @throws FirnError as connect and asSourceError say, SchemaChangedDuringRun, CursorIsNull, ValueOutOfRange, Aborted
 */
export async function extract(extraction: Extraction): Promise<Extracted> {
  const { signal, connection } = extraction;
  refuseAborted(signal);
  const sessions = [await connect(connection)];
  const cancel = (): void => {
    for (const session of sessions) void cancelQuery(session, connection);
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    // It may have come while the connection was made: then nobody has cancelled anything.
    refuseAborted(signal);
    return await read(sessions, extraction);
  } catch (error) {
    refuseAborted(signal);
    throw await tellInvalidText(error, extraction);
  } finally {
    signal?.removeEventListener('abort', cancel);
    await Promise.all(sessions.map((session) => session.end().catch(() => {})));
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw signal.reason instanceof FirnError
    ? signal.reason
    : new FirnError('Aborted', 'The extraction was stopped.', { cause: signal.reason });
}

/** `sessions` holds the first connection; others are added to it. */
async function read(sessions: Client[], extraction: Extraction): Promise<Extracted> {
  const { relation, columns, where, connections = 1 } = extraction;
  const first = sessions[0]!;
  const { oid, readAsOf } = await beginSnapshot(first, relation);
  const readings = await readingsOf(first, oid, relation, columns);
  await refuseNullCursor(first, extraction, readings);

  const shared = connections > 1 ? await sharedRead(first, oid, connections) : null;
  const ranges = shared?.conditions ?? [undefined];
  while (shared !== null && sessions.length < Math.min(connections, ranges.length)) {
    const session = await connect(extraction.connection);
    sessions.push(session);
    refuseAborted(extraction.signal);
    await joinSnapshot(session, shared.snapshot);
  }

  const tally: PolicyTally = { counts: {}, replaced: [] };
  const decoders = readings.map(({ decoder }) => decoder);
  const decoder = new TableDecoder(
    columns.map(({ parquet }, i) => ({ decoder: decoders[i]!, type: parquet })),
    applyPolicies(relation, columns, decoders, extraction.primaryKey ?? [], tally),
  );
  const expressions = readings.map(({ column, selection }) => readExpression(column, selection, extraction.connection.mask_salt));
  const statements = extraction.pieces
    ? copyStatements(extraction.pieces, (chunk) => copyStatement(relation, expressions, { ...where, chunk }))
    : ranges.map((range) => copyStatement(relation, expressions, where, range)).values();
  const { rows, files } = await copyToFiles(sessions, statements, decoder, extraction);
  const keys = await readKeys(first, readings, extraction);
  return { rows, files, ...(keys && { keys }), readAsOf, policyCounts: tally.counts, replaced: tally.replaced };
}

function* copyStatements(pieces: Iterable<Chunk>, statement: (chunk: Chunk) => string): Generator<string> {
  for (const piece of pieces) yield statement(piece);
}

/** Of every row that the filter lets through: a row that is not read again since its cursor is old is not gone. */
async function readKeys(client: Client, readings: Reading[], extraction: Extraction): Promise<Extracted['keys']> {
  const { keys, relation, where, primaryKey = [] } = extraction;
  if (keys === undefined) return undefined;
  const ofKey = readings.filter(({ column }) => primaryKey.includes(column.target));
  const columns = ofKey.map(({ column }) => column);
  const decoders = ofKey.map(({ decoder }) => decoder);
  // What a policy replaces in a key was told with the rows.
  const decoder = new TableDecoder(
    columns.map(({ parquet }, i) => ({ decoder: decoders[i]!, type: parquet })),
    applyPolicies(relation, columns, decoders, primaryKey, { counts: {}, replaced: [] }),
  );
  const expressions = ofKey.map(({ column, selection }) => readExpression(column, selection, extraction.connection.mask_salt));
  const statement = copyStatement(relation, expressions, { rowFilter: where.rowFilter, cursor: null, chunk: null });
  return copyToFiles([client], [statement].values(), decoder, { ...extraction, ...keys, columns, onProgress: undefined });
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
