import type { ClientBase } from 'pg';
import { FirnError } from '../../errors.js';
import type { CursorColumn, Observation, Relation } from '../source.js';
import { query } from './connection.js';
import { quoteIdentifier, quoteRelation } from './query.js';
import { isoText as iso } from './time-text.js';
import { observeXmin } from './xmin.js';

/** Sessions whose writes count: all of this database but Postgres' own workers, walsenders and Firn's readers. */
const others = `FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type NOT IN ('autovacuum launcher', 'autovacuum worker', 'walsender')
    AND NOT (usename = current_user AND application_name LIKE 'firn%')`;

/**
 * Takes U and t, then F, then P, each in a statement of its own: the order is the rule. The session must not be in a transaction.
 *
 * Where the fence cannot be read (no pg_read_all_stats, a session with track_activities = off, a standby), a declared lookback stands in:
 * F = now() − lookback, that is: no transaction is open for longer.
 * @throws FirnError FenceUnreadable when it cannot be read and no lookback is declared.
 */
export async function observe(
  client: ClientBase,
  relation: Relation,
  cursor: CursorColumn,
  /** Seconds; null: the configuration declares none. */
  declaredLookback: number | null,
): Promise<Observation> {
  const server = cursor.kind === 'time' ? undefined : await readServer(client);
  if (cursor.kind === 'xmin') return { ...(await observeXmin(client)), server };
  const warnings: string[] = [];
  const { upper, readAt } = await readUpper(client, relation, cursor);
  const blind = await whyUnreadable(client);
  if (blind !== null && declaredLookback === null)
    throw new FirnError('FenceUnreadable', `${relation.schema}.${relation.table}: ${blind}.`);
  if (blind !== null)
    warnings.push(`${blind}; the declared lookback of ${declaredLookback} s stands in: rows of longer transactions can be missed.`);

  const [fence] = await query<{ fence: string }>(
    client,
    `SELECT ${iso('least(now() - make_interval(secs => $1), min(xact_start))')} AS fence ${others}`,
    [blind === null ? 0 : declaredLookback],
  );
  const prepared = await query<{ xid: string; gid: string; since: string; seconds: number }>(
    client,
    `SELECT transaction::text AS xid, gid, ${iso('prepared')} AS since, floor(extract(epoch FROM now() - prepared))::int AS seconds
     FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared`,
  );
  const [first] = prepared;
  return {
    upper,
    readAt,
    fence: fence!.fence,
    prepared: prepared.map(({ xid }) => xid),
    oldest: await readOldest(client),
    oldestPrepared: first ? { gid: first.gid, since: first.since, seconds: first.seconds } : null,
    server,
    warnings,
  };
}

/** The timeline of a standby is not asked for: it takes no numbers of its own. */
async function readServer(client: ClientBase): Promise<string> {
  const rows = await query<{ server: string }>(
    client,
    `SELECT system_identifier || '/' || CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS server
     FROM pg_control_system()`,
  );
  return rows[0]!.server;
}

async function readUpper(client: ClientBase, relation: Relation, cursor: CursorColumn) {
  const upper = cursor.kind === 'integer' ? `max(${quoteIdentifier(cursor.name)})::text` : 'NULL';
  const from = cursor.kind === 'integer' ? `FROM ${quoteRelation(relation)}` : '';
  const rows = await query<{ upper: string | null; readAt: string }>(
    client,
    `SELECT ${upper} AS upper, ${iso('clock_timestamp()')} AS "readAt" ${from}`,
  );
  return rows[0]!;
}

async function whyUnreadable(client: ClientBase): Promise<string | null> {
  const rows = await query<{ standby: boolean; privileged: boolean; disabled: number | null }>(
    client,
    `SELECT pg_is_in_recovery() AS standby, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS privileged,
      (SELECT min(pid) ${others} AND state = 'disabled') AS disabled`,
  );
  const { standby, privileged, disabled } = rows[0]!;
  if (standby) return "The source is a standby: the primary's open transactions are invisible here";
  if (!privileged) return 'The Firn user lacks pg_read_all_stats: open transactions of other users are invisible';
  if (disabled !== null) return `Session ${disabled} runs with track_activities = off: its transactions are invisible`;
  return null;
}

async function readOldest(client: ClientBase): Promise<Observation['oldest']> {
  const rows = await query<NonNullable<Observation['oldest']>>(
    client,
    `SELECT pid, usename AS "user", application_name AS application, ${iso('xact_start')} AS since,
      floor(extract(epoch FROM now() - xact_start))::int AS seconds ${others} AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1`,
  );
  return rows[0] ?? null;
}
