import type { ClientBase } from 'pg';
import { splitRanges } from '../../plan/chunks.js';
import type { SourceKind, SourceSession, Split, ToSplit } from '../source.js';
import { describeTable } from './catalog.js';
import { connect, postgresSecretSchema } from './connection.js';
import { checkCursorValues, countNullCursors, readCursorColumn, timeBound } from './cursor-column.js';
import { estimateRead, readRange } from './estimate.js';
import { extract } from './extract.js';
import { observe } from './observe.js';
import { sparkQuery } from './spark-query.js';

export function postgresSession(client: ClientBase & { end(): Promise<void> }): SourceSession {
  return {
    defaultSchema: 'public',
    describeTable: (relation, settings) => describeTable(client, relation, settings),
    readCursorColumn: (relation, column) => readCursorColumn(client, relation, column),
    countNullCursors: (relation, column, rowFilter) => countNullCursors(client, relation, column, rowFilter),
    observe: (relation, cursor, lookback) => observe(client, relation, cursor, lookback),
    timeBound: (type, safe, lookback, zone) => timeBound(client, type, safe, lookback, zone),
    checkCursorValues: (relation, cursor, from) => checkCursorValues(client, relation, cursor, from),
    estimateRead: (read) => estimateRead(client, read),
    split: (table) => split(client, table),
    end: () => client.end(),
  };
}

/** Ranges of one integer column: the configured one, or the primary key's. */
async function split(client: ClientBase, { relation, partitionColumn, primaryKey, wanted }: ToSplit): Promise<Split> {
  const column = partitionColumn ?? (primaryKey.length === 1 ? primaryKey[0] : undefined);
  if (column === undefined) return { refused: 'it has no single-column primary key' };
  const range = await readRange(client, relation, column);
  return range === null ? { refused: `${column} is not an integer column` } : { chunks: splitRanges({ column, ...range }, wanted) };
}

export const postgres: SourceKind = {
  secretSchema: postgresSecretSchema,
  open: async (secret) => postgresSession(await connect(secret)),
  extract,
  sparkQuery,
};
