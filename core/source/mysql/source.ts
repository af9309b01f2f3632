import type { SourceKind, SourceSession } from '../source.js';
import { describeTable } from './catalog.js';
import { connect, mysqlSecretSchema, type Session } from './connection.js';
import { countNullCursors, readCursorColumn, timeBound } from './cursor-column.js';
import { estimateRead } from './estimate.js';
import { extract } from './extract.js';
import { observe } from './observe.js';
import { sparkQuery } from './spark-query.js';
import { split } from './split.js';

export function mysqlSession(session: Session): SourceSession {
  return {
    defaultSchema: session.secret.database,
    describeTable: (relation, settings) => describeTable(session, relation, settings),
    readCursorColumn: (relation, column) => readCursorColumn(session, relation, column),
    countNullCursors: (relation, column, rowFilter) => countNullCursors(session, relation, column, rowFilter),
    observe: (relation, cursor, lookback) => observe(session, relation, cursor, lookback),
    timeBound: async (type, safe, lookback, zone) => timeBound(type, safe, lookback, zone),
    estimateRead: (read) => estimateRead(session, read),
    split: (table) => split(session, table),
    end: () => session.connection.end(),
  };
}

export const mysql: SourceKind = {
  secretSchema: mysqlSecretSchema,
  open: async (secret) => mysqlSession(await connect(secret)),
  extract,
  sparkQuery,
};
