import type { Client } from 'pg';
import { FirnError } from '../../errors.js';
import type { Chunk } from '../../plan/plan.js';
import type { Extracted, TableRead } from '../source.js';
import { query } from './connection.js';
import { TableDecoder } from './decoder.js';
import { applyPolicies, type PolicyTally } from './decoder-policy.js';
import { type Copied, copyToFiles } from './extract-files.js';
import { type SharedRead, sharedRead } from './extract-ranges.js';
import { Sessions } from './extract-sessions.js';
import { beginSnapshot, joinSnapshot, type Reading, readingsOf } from './extract-snapshot.js';
import { tellInvalidText } from './invalid-text.js';
import { readExpression } from './mask.js';
import { copyStatement, nullCursorStatement, type Where } from './query.js';

/** `where.chunk` may be no chunk of a plan, but just a range. */
export interface Extraction extends Omit<TableRead, 'where'> {
  where: Where;
  /** A session to read by, which is ended. Not given: one is opened. */
  session?: Client;
}

/**
 * Reads rows of one table from one snapshot and writes them as Parquet files. Memory is bounded whatever the size of the table: per
 * connection two row groups, the pages of one, and about three times the largest row.
 * @throws FirnError as connect and asSourceError say, SchemaChangedDuringRun, CursorIsNull, ValueOutOfRange, Aborted
 */
export async function extract(extraction: Extraction): Promise<Extracted & Copied> {
  const { signal } = extraction;
  const sessions = new Sessions(extraction.connection);
  signal?.addEventListener('abort', sessions.stop, { once: true });
  try {
    const given = extraction.session && sessions.add(extraction.session);
    refuseAborted(signal);
    return await read(given ?? (await sessions.open()), sessions, extraction);
  } catch (error) {
    refuseAborted(signal);
    const told = await tellInvalidText(error, extraction);
    refuseAborted(signal);
    throw told;
  } finally {
    signal?.removeEventListener('abort', sessions.stop);
    await sessions.end();
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw signal.reason instanceof FirnError
    ? signal.reason
    : new FirnError('Aborted', 'The extraction was stopped.', { cause: signal.reason });
}

async function read(first: Client, sessions: Sessions, extraction: Extraction): Promise<Extracted & Copied> {
  const { relation, columns, where, connections = 1 } = extraction;
  const { oid, readAsOf } = await beginSnapshot(first, relation);
  const shared = connections > 1 && readsAll(extraction) ? await sharedRead(first, oid, connections) : null;
  const ranges = shared?.conditions ?? [undefined];
  // They are opened while the rest is asked for.
  const others = shared === null ? [] : ranges.slice(1, connections).map(() => joinRead(sessions, shared));
  const readings = await readingsOf(first, oid, relation, columns);
  await refuseNullCursor(first, extraction, readings);

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
  const copied = await copyToFiles([first, ...others], sessions, statements, decoder, extraction);
  const keys = await readKeys(first, sessions, readings, extraction);
  return { ...copied, ...(keys && { keys }), readAsOf, policyCounts: tally.counts, replaced: tally.replaced };
}

/** A session more in the same snapshot, or why there is none. */
async function joinRead(sessions: Sessions, { snapshot }: SharedRead): Promise<Client | Error> {
  try {
    const session = await sessions.open();
    await joinSnapshot(session, snapshot);
    return session;
  } catch (error) {
    return error as Error;
  }
}

/** What a cursor or a chunk chooses is found by an index: once, and not again for each range of blocks. */
function readsAll({ where: { cursor, chunk }, pieces }: Extraction): boolean {
  return (cursor?.from ?? null) === null && pieces === undefined && (chunk?.column ?? null) === null;
}

function* copyStatements(pieces: Iterable<Chunk>, statement: (chunk: Chunk) => string): Generator<string> {
  for (const piece of pieces) yield statement(piece);
}

/** Of every row that the filter lets through: a row that is not read again since its cursor is old is not gone. */
async function readKeys(client: Client, sessions: Sessions, readings: Reading[], extraction: Extraction): Promise<Extracted['keys']> {
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
  const files = { ...extraction, ...keys, columns, keys: undefined, onProgress: undefined };
  const copied = await copyToFiles([client], sessions, [statement].values(), decoder, files);
  return { rows: copied.rows, files: copied.files };
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
