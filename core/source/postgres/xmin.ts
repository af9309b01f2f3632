import type { ClientBase } from 'pg';
import { FirnError } from '../../errors.js';
import type { CursorColumn, Observation, Relation } from '../source.js';
import { query } from './connection.js';
import { isoText } from './time-text.js';

/**
 * `cursor_column: xmin`, for tables without a cursor of their own: PostgreSQL notes in each row version which transaction wrote it.
 *
 * A run notes the xmin of a snapshot that is older than those it reads from: every transaction below it has ended, so what it wrote is
 * read by this run, and the next one reads what was written by that xmin or a later transaction. No clock and no privilege is involved;
 * savepoints and prepared transactions count, because a snapshot counts them.
 */
export const xminColumn = 'xmin';

/** Beyond it the 32 bits in the rows no longer tell old from new: then everything is read. */
export const comparableTransactions = 2n ** 31n;

/**
 * A row version holds the last 32 bits of its transaction. Their distance from the next transaction, modulo 2^32, is compared with that of
 * `from` (64 bits), so the counter may turn over. A row that is older by full turns looks newer than it is and is read again.
 * The bound is a subquery, so that it is computed once, in the snapshot that reads.
 */
export function writtenSince(from: string): string {
  const bound = BigInt(from);
  return `(pg_catalog.age(xmin)::bigint & 4294967295) <= (SELECT CASE
    WHEN pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint - ${bound} < ${comparableTransactions}
    THEN pg_catalog.age(${xid(bound)})::bigint & 4294967295 ELSE 4294967295 END)`;
}

/** The 32 bits of it that a row holds. */
const xid = (full: bigint): string => `'${BigInt.asUintN(32, full)}'::xid`;

/** @throws FirnError CursorColumnMissing, CursorColumnUnsuitable where rows have no xmin, or it says nothing */
export async function readXminCursor(client: ClientBase, { schema, table }: Relation): Promise<CursorColumn> {
  const rows = await query<{ heap: boolean; standby: boolean }>(
    client,
    `SELECT pg_is_in_recovery() AS standby, NOT EXISTS (
       SELECT FROM pg_class l LEFT JOIN pg_am a ON a.oid = l.relam
       WHERE (l.oid IN (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf) OR l.oid = c.oid
           OR l.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = c.oid))
         AND l.relkind <> 'p' AND (l.relkind <> 'r' OR a.amname <> 'heap')) AS heap
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, table],
  );
  const found = rows[0];
  if (!found) throw new FirnError('CursorColumnMissing', `${schema}.${table} does not exist.`);
  if (!found.heap) {
    throw new FirnError('CursorColumnUnsuitable', `${schema}.${table} is not stored as a heap table, so its rows have no xmin to go by.`);
  }
  if (found.standby) {
    throw new FirnError('CursorColumnUnsuitable', `The source is a standby: xmin of ${schema}.${table} has to be read on the primary.`);
  }
  return { name: xminColumn, kind: 'xmin', type: 'xid', nullable: false, comparison: 'xid' };
}

/** The xmin of a snapshot (`upper`), and the transaction that holds it back: transactions of other databases count too. */
export async function observeXmin(client: ClientBase): Promise<Observation> {
  const [snapshot] = await query<{ xmin: string; readAt: string }>(
    client,
    `SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, ${isoText('clock_timestamp()')} AS "readAt"`,
  );
  const { xmin, readAt } = snapshot!;
  const [oldest] = await query<NonNullable<Observation['oldest']>>(
    client,
    `SELECT pid, usename AS "user", application_name AS application, ${isoText('coalesce(xact_start, backend_start)')} AS since,
       floor(extract(epoch FROM now() - coalesce(xact_start, backend_start)))::int AS seconds
     FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY age(backend_xid) DESC LIMIT 1`,
  );
  const [prepared] = await query<NonNullable<Observation['oldestPrepared']>>(
    client,
    `SELECT gid, ${isoText('prepared')} AS since, floor(extract(epoch FROM now() - prepared))::int AS seconds
     FROM pg_prepared_xacts WHERE age(transaction) >= age(${xid(BigInt(xmin))}) ORDER BY age(transaction) DESC LIMIT 1`,
  );
  // No fence is read, so nothing is known of clocks: the earliest time that there is.
  const fence = '0001-01-01T00:00:00.000000Z';
  return { upper: xmin, readAt, fence, prepared: [], oldest: oldest ?? null, oldestPrepared: prepared ?? null, warnings: [] };
}
