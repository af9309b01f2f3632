import type { Client } from 'pg';
import type { Column, ParquetType } from '../../column.js';
import { FirnError } from '../../errors.js';
import type { Plan } from '../../plan/plan.js';
import { readColumns, readTable } from './catalog.js';
import { query } from './connection.js';
import { quoteLiteral, quoteRelation } from './query.js';
import { type Decoder, isLarge, mapType, policiesOf, type Selection, type SourceType } from './types.js';

/** Settings that the text of a value or the visibility of a row depends on. LOCAL, so that a pooler's next session is not touched. */
export const settings = [
  "TimeZone = 'UTC'",
  "DateStyle = 'ISO, YMD'",
  "IntervalStyle = 'iso_8601'",
  'extra_float_digits = 3',
  "bytea_output = 'hex'",
  "xmlbinary = 'base64'",
  'row_security = off',
  'statement_timeout = 0',
  'lock_timeout = 0',
  'idle_in_transaction_session_timeout = 0',
];

const beginStatement = 'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY';

export interface Snapshot {
  oid: number;
  /** Clock of the source just before the snapshot was taken: everything committed by then is in it. ISO 8601, UTC, microseconds. */
  readAsOf: string;
}

/**
 * Begins the transaction that reads. The table is locked (ACCESS SHARE) before the snapshot is taken: TRUNCATE and rewriting ALTERs do not
 * respect older snapshots, so one that came between would show an empty table.
 * @throws FirnError SourceTableMissing, SourcePermissionDenied, SourceBusy
 */
export async function beginSnapshot(client: Client, relation: Plan['relation']): Promise<Snapshot> {
  const { oid, kind, lockable } = await readTable(client, relation);
  const begin = [beginStatement, ...settings.map((setting) => `SET LOCAL ${setting}`)];
  // Materialized views and foreign tables cannot be locked by LOCK TABLE, nor can tables of which the user may read some columns only.
  const locked = lockable && kind !== 'materialized view' && kind !== 'foreign table';
  if (locked) begin.push(`LOCK TABLE ${quoteRelation(relation)} IN ACCESS SHARE MODE`);
  const before = locked ? null : await filesOf(client, oid);
  await query(client, begin.join('; '));
  const [clock] = await query<{ at: string }>(
    client,
    `SELECT to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at`,
  );
  if (before !== null) await refuseRewritten(client, oid, relation, before);
  return { oid, readAsOf: clock!.at };
}

/** The files in which the relation and its partitions are: others after TRUNCATE and after a rewriting ALTER. Not by the snapshot, but as they are now. */
async function filesOf(client: Client, oid: number): Promise<string> {
  const [row] = await query<{ files: string }>(
    client,
    `SELECT coalesce(string_agg(concat(relid, ':', pg_relation_filenode(relid)), ' ' ORDER BY relid), '') AS files
     FROM (SELECT $1::oid AS relid UNION SELECT relid::oid FROM pg_partition_tree($1::oid)) r`,
    [oid],
  );
  return row!.files;
}

/** The lock of a query lasts as long as that of LOCK TABLE, but comes after the snapshot. */
async function refuseRewritten(client: Client, oid: number, relation: Plan['relation'], before: string): Promise<void> {
  await query(client, `SELECT FROM ${quoteRelation(relation)} LIMIT 0`);
  if ((await filesOf(client, oid)) !== before)
    throw new FirnError('SourceBusy', `${relation.schema}.${relation.table} was emptied or rewritten while the read of it began.`);
}

/** The same snapshot on another connection. The first one's transaction must be open; its lock protects both. */
export async function joinSnapshot(client: Client, snapshot: string): Promise<void> {
  const begin = [
    beginStatement,
    `SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`,
    ...settings.map((setting) => `SET LOCAL ${setting}`),
  ];
  await query(client, begin.join('; '));
}

/** How a planned column is read from the table as it is now. */
export interface Reading {
  column: Column;
  nullable: boolean;
  type: SourceType;
  selection: Selection;
  decoder: Decoder;
}

/** @throws FirnError SchemaChangedDuringRun: a column has gone, or has another type than when the run was planned */
export async function readingsOf(client: Client, oid: number, relation: Plan['relation'], columns: readonly Column[]): Promise<Reading[]> {
  const live = new Map((await readColumns(client, oid)).map((column) => [column.name, column]));
  return columns.map((column) => {
    const now = live.get(column.name);
    const name = `${relation.schema}.${relation.table}`;
    if (now === undefined)
      throw new FirnError('SchemaChangedDuringRun', `${name}: column ${column.name} was dropped after the run was planned.`);
    const mapped = mapType(now.type, policiesOf(column), { large: isLarge(column), mask: column.mask });
    if (!sameType(mapped.parquet, column.parquet)) {
      throw new FirnError(
        'SchemaChangedDuringRun',
        `${name}: column ${column.name} was ${column.sourceType} and is now ${now.sourceType}.`,
      );
    }
    return { column, nullable: now.nullable, type: now.type, selection: mapped.selection, decoder: mapped.decoder };
  });
}

function sameType(a: ParquetType, b: ParquetType): boolean {
  if (a.kind === 'decimal' && b.kind === 'decimal') return a.precision === b.precision && a.scale === b.scale;
  if (a.kind === 'timestamp' && b.kind === 'timestamp') return a.utc === b.utc;
  return a.kind === b.kind;
}
