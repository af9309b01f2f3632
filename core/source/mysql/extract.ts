import type { Column } from '../../column.js';
import { FirnError } from '../../errors.js';
import { FileSeries } from '../../parquet/file-series.js';
import { Batch } from '../../parquet/vector.js';
import type { Chunk } from '../../plan/plan.js';
import type { Extracted, Relation, TableRead, Where } from '../source.js';
import { cancelQuery, connect, drop, query, type Session } from './connection.js';
import { canDecode, type Decode, generateDecoder } from './decoder.js';
import { asSourceError } from './errors.js';
import { applyPolicies, type PolicyTally } from './policies.js';
import { selectExpression, selectStatement } from './query.js';
import { type Reading, readingsOf, refuseNullCursor } from './readings.js';
import { RowReader, type Statement } from './row-reader.js';
import { typeName } from './wire.js';

const defaultFileBytes = 128 << 20;
/** Of the source's bytes, per row group; two are in memory. */
const rowGroupBytes = 16 << 20;

/**
 * Reads rows of one table from one snapshot and writes them as Parquet files. Memory is bounded whatever the size of the table: two row
 * groups, the pages of one, and about three times the largest row.
 * @throws FirnError as connect and asSourceError say, SchemaChangedDuringRun, CursorIsNull, ValueOutOfRange, Aborted
 */
export async function extract(read: TableRead): Promise<Extracted> {
  const { signal, connection } = read;
  refuseAborted(signal);
  const session = await connect(connection, signal).catch((error: unknown) => {
    refuseAborted(signal);
    throw error;
  });
  let cancelled: Promise<void> | undefined;
  const cancel = (): void => {
    cancelled = cancelQuery(session);
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    // It may have come while the connection was made: then nobody has cancelled anything.
    refuseAborted(signal);
    return await readTableInto(session, read);
  } catch (error) {
    refuseAborted(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    await cancelled;
    drop(session);
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw signal.reason instanceof FirnError
    ? signal.reason
    : new FirnError('Aborted', 'The extraction was stopped.', { cause: signal.reason });
}

async function readTableInto(session: Session, read: TableRead): Promise<Extracted> {
  const { relation, columns, where } = read;
  const readings = await readingsOf(session, relation, columns);
  const readAsOf = await beginSnapshot(session);
  await refuseNullCursor(session, relation, where, readings);

  const tally: PolicyTally = { counts: {}, replaced: [] };
  const wheres = read.pieces ? wheresOf(where, read.pieces) : [where].values();
  const { rows, files } = await readRows(session, readings, wheres, tally, read);
  const keys = await readKeys(session, readings, read);
  return { rows, files, ...(keys && { keys }), readAsOf, policyCounts: tally.counts, replaced: tally.replaced };
}

function* wheresOf(where: Where, pieces: Iterable<Chunk>): Generator<Where> {
  for (const chunk of pieces) yield { ...where, chunk };
}

/** Of every row that the filter lets through: a row that is not read again since its cursor is old is not gone. */
async function readKeys(session: Session, readings: Reading[], read: TableRead): Promise<Extracted['keys']> {
  const { keys, primaryKey = [] } = read;
  if (keys === undefined) return undefined;
  const ofKey = readings.filter(({ column }) => primaryKey.includes(column.target));
  const all = { rowFilter: read.where.rowFilter, cursor: null, chunk: null };
  // What a policy replaces in a key was told with the rows.
  const untold = { counts: {}, replaced: [] };
  return readRows(session, ofKey, [all].values(), untold, { ...read, ...keys, onProgress: undefined });
}

/** Reads the rows of one condition after another into one series of files, decoding while the row group before is encoded and written. */
async function readRows(
  session: Session,
  readings: readonly Reading[],
  wheres: Iterator<Where>,
  tally: PolicyTally,
  { relation, primaryKey = [], constants, codec = 'zstd', metadata = {}, fileBytes = defaultFileBytes, openFile, onProgress }: TableRead,
): Promise<Pick<Extracted, 'rows' | 'files'>> {
  const columns = readings.map(({ column }) => column);
  const fileColumns = columns.map(({ target, parquet }) => ({ name: target, type: parquet }));
  const types = columns.map(({ parquet }) => parquet);
  const series = new FileSeries(
    { columns: fileColumns, constants, codec, metadata },
    fileBytes,
    openFile,
    () => new Batch(types, rowGroupBytes),
  );
  const expressions = readings.map(({ column, selection }) => selectExpression(column.name, selection));
  const decoderOf = (sent: readonly number[]): Decode => {
    const wire = readings.map(({ decoder }, i) => ({ type: sent[i]!, decoder }));
    const changed = wire.findIndex((column) => !canDecode(column));
    if (changed >= 0) throw unexpectedType(relation, columns[changed]!, sent[changed]!);
    return generateDecoder(wire, applyPolicies(relation, columns, wire, primaryKey, tally));
  };
  let rows = 0;
  const report = (more: number): void => {
    rows += more;
    onProgress?.({ rows, bytes: series.bytes });
  };
  try {
    let batch = series.createBatch();
    let decode: Decode | undefined;
    for (let next = wheres.next(); !next.done; next = wheres.next()) {
      const reader = new RowReader(session, await prepare(session, selectStatement(relation, expressions, next.value)));
      while (await reader.fill()) {
        decode ??= decoderOf(reader.types);
        for (;;) {
          reader.start = decode(reader.bytes, reader.view, reader.start, reader.end, batch, reader.size);
          if (!batch.full) break;
          report(batch.rows);
          batch = await series.push(batch);
          // The row that came in several packets has been read.
          if (reader.size > 0) break;
        }
      }
    }
    report(batch.rows);
    return { rows, files: await series.close(batch) };
  } catch (error) {
    await series.abort();
    throw error;
  }
}

const unexpectedType = ({ schema, table }: Relation, { name, sourceType }: Column, type: number): FirnError =>
  new FirnError(
    'SchemaChangedDuringRun',
    `${schema}.${table}: the server sends column ${name}, planned as ${sourceType}, as ${typeName(type)}.`,
  );

/**
 * Begins the transaction that reads, with its snapshot at once. A table that is altered or truncated afterwards cannot be read in it any
 * more: that is an error of the server's, and SchemaChangedDuringRun here.
 * @returns clock of the source just before. ISO 8601, UTC, microseconds
 */
async function beginSnapshot(session: Session): Promise<string> {
  const [clock] = await query<{ at: string }>(session, `SELECT DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ') AS at`);
  await query(session, 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  return clock!.at;
}

async function prepare({ connection, secret }: Session, sql: string): Promise<Statement> {
  try {
    return ((await connection.prepare(sql)) as unknown as { statement: Statement }).statement;
  } catch (error) {
    throw asSourceError(error, secret);
  }
}
