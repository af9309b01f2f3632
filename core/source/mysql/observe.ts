import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { FirnError } from '../../errors.js';
import type { CursorColumn, Observation, Relation } from '../source.js';
import { describeAddress } from '../source-error.js';
import { readTable } from './catalog.js';
import { query, type Session } from './connection.js';
import { quoteIdentifier, quoteRelation } from './query.js';

/** A SQL expression of datetime in UTC as ISO 8601 with microseconds: text order is time order. */
const iso = (expression: string): string => `DATE_FORMAT(${expression}, '%Y-%m-%dT%H:%i:%s.%fZ')`;

/**
 * trx_started, which InnoDB tells in the server's own local time, in seconds since 1970. Where clocks are set back an hour comes twice:
 * then the earlier of the two, found by the same time three hours before. The session must be in `time_zone = SYSTEM`.
 */
const startedEpoch = 'LEAST(UNIX_TIMESTAMP(trx_started), UNIX_TIMESTAMP(trx_started - INTERVAL 3 HOUR) + 10800)';

/** Applies changes of a primary, whose open transactions are not here. */
const replicationThreads = "FROM information_schema.PROCESSLIST WHERE USER = 'system user' AND COMMAND <> 'Daemon'";

/** InnoDB does not renew its list of transactions for so long after somebody has read it. Source: trx0i_s.cc, CACHE_MIN_IDLE_TIME. */
const listIdleMs = 100;
const listAttempts = 40;

/**
 * Takes U and t, then F, then P, each in a statement of its own: the order is the rule. The session must not be in a transaction.
 *
 * Where the fence cannot be read (no PROCESS privilege, a replica, a table without transactions), a declared lookback stands in:
 * F = now − lookback, that is: no transaction is open for longer.
 * @throws FirnError FenceUnreadable when it cannot be read and no lookback is declared.
 */
export async function observe(
  session: Session,
  relation: Relation,
  cursor: CursorColumn,
  /** Seconds; null: the configuration declares none. */
  declaredLookback: number | null,
): Promise<Observation> {
  const name = `${relation.schema}.${relation.table}`;
  const warnings: string[] = [];
  const { upper, readAt } = await readUpper(session, relation, cursor);
  const seen = await readFence(session, relation);
  if (typeof seen === 'string' && declaredLookback === null) throw new FirnError('FenceUnreadable', `${name}: ${seen}.`);
  if (typeof seen === 'string')
    warnings.push(`${seen}; the declared lookback of ${declaredLookback} s stands in: rows of longer transactions can be missed.`);

  const { fence, oldest } = typeof seen === 'string' ? { fence: await blindFence(session, declaredLookback!), oldest: null } : seen;
  const { prepared, warning } = await readPrepared(session, typeof seen === 'string');
  if (warning !== null) warnings.push(warning);
  return { upper, readAt, fence, prepared, oldest, warnings };
}

async function readUpper(session: Session, relation: Relation, cursor: CursorColumn) {
  const upper = cursor.kind === 'integer' ? `CAST(MAX(${quoteIdentifier(cursor.name)}) AS CHAR)` : 'NULL';
  const from = cursor.kind === 'integer' ? `FROM ${quoteRelation(relation)}` : '';
  // Before the statement that reads U, so that whoever takes a number after t takes a greater one.
  const [clock] = await query<{ at: string }>(session, `SELECT ${iso('UTC_TIMESTAMP(6)')} AS at`);
  const [row] = await query<{ upper: string | null }>(session, `SELECT ${upper} AS upper ${from}`);
  return { upper: row!.upper, readAt: clock!.at };
}

/** Why it cannot be seen who may still write, or null. */
async function whyBlind(session: Session, relation: Relation): Promise<string | null> {
  const { engine } = await readTable(session, relation);
  if (engine !== null && engine !== 'InnoDB') return `The table's engine is ${engine}: what is being written to it cannot be seen`;
  const [row] = await query<{ readOnly: number; replica: number }>(
    session,
    `SELECT @@global.read_only AS readOnly, EXISTS (SELECT 1 ${replicationThreads}) AS replica`,
  );
  return row!.readOnly || row!.replica ? "The source is a replica: the primary's open transactions are invisible here" : null;
}

/** A session that may still write what is stamped `epoch` seconds after 1970 or later. */
interface Writer {
  pid: number;
  user: string | null;
  epoch: number;
}

/**
 * The earliest of t0, the start of the oldest statement, and the start of the oldest transaction that may write, looked at in this order:
 * a statement takes its NOW() when it comes, and may wait for a lock before InnoDB knows of its transaction. One that has ended since then
 * has left its transaction in the list, or has committed. Firn's readers and reports are READ ONLY or single SELECTs: they do not count.
 * @returns why it cannot be read, where it cannot
 */
async function readFence(session: Session, relation: Relation): Promise<{ fence: string; oldest: Observation['oldest'] } | string> {
  const blind = await whyBlind(session, relation);
  if (blind !== null) return blind;
  await query(session, 'SET time_zone = SYSTEM');
  try {
    const [now] = await query<{ at: string; epoch: number }>(session, `SELECT ${iso('UTC_TIMESTAMP(6)')} AS at, UNIX_TIMESTAMP() AS epoch`);
    const statements = await runningStatements(session);
    const transactions = await listTransactions(session);
    const readers = new Set(transactions.filter(({ readOnly }) => readOnly).map(({ pid }) => pid));
    const writers = [...statements.filter(({ pid }) => !readers.has(pid)), ...transactions.filter(({ readOnly }) => !readOnly)];
    const first = writers.toSorted((a, b) => a.epoch - b.epoch)[0];
    const since = first && new Date(first.epoch * 1000).toISOString().replace('Z', '000Z');
    return {
      fence: since === undefined || now!.at < since ? now!.at : since,
      oldest: first
        ? { pid: first.pid, user: first.user, application: null, since: since!, seconds: Number(now!.epoch) - first.epoch }
        : null,
    };
  } catch (error) {
    if (!(error instanceof FirnError && error.code === 'SourcePermissionDenied')) throw error;
    return 'The Firn user lacks the privilege PROCESS: open transactions are invisible';
  } finally {
    await query(session, "SET time_zone = '+00:00'");
  }
}

const numbered = <Row extends Writer>(row: Row): Row => ({ ...row, pid: Number(row.pid), epoch: Math.floor(Number(row.epoch)) });

/** TIME is in whole seconds. */
async function runningStatements(session: Session): Promise<Writer[]> {
  const rows = await query<Writer>(
    session,
    `SELECT ID AS pid, USER AS user, UNIX_TIMESTAMP() - TIME - 1 AS epoch FROM information_schema.PROCESSLIST
     WHERE ID <> CONNECTION_ID() AND COMMAND IN ('Query', 'Execute', 'Fetch', 'Long Data', 'Delayed insert')`,
  );
  return rows.map(numbered);
}

/**
 * The list is as old as its last renewal, which is this statement's own if the statement stands in it as what this session's transaction is
 * doing: so each attempt has a text of its own.
 */
async function listTransactions(session: Session): Promise<(Writer & { readOnly: boolean })[]> {
  await query(session, 'START TRANSACTION WITH CONSISTENT SNAPSHOT');
  try {
    for (let attempt = 0; attempt < listAttempts; attempt++) {
      const mark = randomUUID();
      const rows = await query<Writer & { readOnly: number; own: number; doing: string | null }>(
        session,
        `SELECT /* ${mark} */ trx_mysql_thread_id AS pid, USER AS user, ${startedEpoch} AS epoch, trx_is_read_only AS readOnly,
           trx_mysql_thread_id = CONNECTION_ID() AS own, trx_query AS doing
         FROM information_schema.INNODB_TRX LEFT JOIN information_schema.PROCESSLIST ON ID = trx_mysql_thread_id`,
      );
      if (rows.some(({ own, doing }) => Number(own) === 1 && doing?.includes(mark))) {
        return rows.filter(({ own }) => Number(own) === 0).map((row) => ({ ...numbered(row), readOnly: Number(row.readOnly) === 1 }));
      }
      await pause(listIdleMs * (1 + Math.random()));
    }
  } finally {
    await query(session, 'ROLLBACK');
  }
  throw new FirnError(
    'SourceBusy',
    `MySQL at ${describeAddress(session.secret)}: others read INNODB_TRX so often that InnoDB does not renew it.`,
  );
}

async function blindFence(session: Session, lookback: number): Promise<string> {
  const [row] = await query<{ fence: string }>(session, `SELECT ${iso(`UTC_TIMESTAMP(6) - INTERVAL ${Number(lookback)} SECOND`)} AS fence`);
  return row!.fence;
}

/**
 * Prepared transactions, by their xid. The server tells neither of which database they are nor since when: those of all databases count.
 * MySQL asks for XA_RECOVER_ADMIN.
 */
async function readPrepared(session: Session, isBlind: boolean): Promise<{ prepared: string[]; warning: string | null }> {
  let rows: { formatID: number; gtrid_length: number; data: string }[];
  try {
    rows = await query(session, session.isMariaDb ? "XA RECOVER FORMAT='SQL'" : 'XA RECOVER CONVERT XID');
  } catch (error) {
    if (!(error instanceof FirnError) || !/XA|privilege|denied/i.test(error.message) || session.isMariaDb) throw error;
    if (isBlind) return { prepared: [], warning: null };
    throw new FirnError('FenceUnreadable', 'The Firn user lacks the privilege XA_RECOVER_ADMIN: prepared transactions are invisible.');
  }
  const prepared = rows.map(({ formatID, gtrid_length, data }) => `${formatID}:${gtrid_length}:${data}`);
  if (prepared.length === 0) return { prepared, warning: null };
  return { prepared, warning: `Prepared transaction ${prepared[0]} holds the lower bound back.` };
}
