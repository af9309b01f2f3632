import type { ClientBase } from 'pg';
import type { Column } from '../../column.js';
import type { TableConfig } from '../../config/schema.js';
import { FirnError } from '../../errors.js';
import type { Plan } from '../../plan/plan.js';
import { chooseColumns, refuseCollisions } from '../choose-columns.js';
import { describeAddress } from '../source-error.js';
import { addressOf, query } from './connection.js';
import { defaultPolicies, isLarge, mapType, type Policies, type SourceType } from './types.js';

type Relation = Plan['relation'];

const kinds = { r: 'table', p: 'partitioned table', v: 'view', m: 'materialized view', f: 'foreign table' } as const;

export interface SourceTable {
  oid: number;
  kind: (typeof kinds)[keyof typeof kinds];
  /** Whether the user may read the table, or a column of it, and its schema. */
  readable: boolean;
  /** Whether he may read all of it, and so lock it. */
  lockable: boolean;
  /** Null: never analyzed. */
  estimatedRows: number | null;
  /** With TOAST and all partitions. */
  estimatedBytes: number;
}

export interface SourceColumn {
  name: string;
  /** As the source prints it. */
  sourceType: string;
  attnum: number;
  typeOid: number;
  typmod: number;
  nullable: boolean;
  /** Whether the user may read it. */
  readable: boolean;
  type: SourceType;
}

/** What describeTable says. `primaryKey` holds the source's names, in the key's order; empty when there is none. */
export interface TableDescription extends Omit<SourceTable, 'readable' | 'lockable'> {
  columns: Column[];
  primaryKey: string[];
}

const tableStatement = `
SELECT c.oid::int8::text AS oid, c.relkind AS relkind,
  has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT') AS readable, has_table_privilege(c.oid, 'SELECT') AS lockable,
  s.rows, s.analyzed, s.bytes
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT sum(greatest(l.reltuples, 0))::float8 AS rows, bool_and(l.reltuples >= 0) AS analyzed, sum(pg_table_size(l.oid))::float8 AS bytes
  FROM pg_class l
  WHERE (l.oid = c.oid AND c.relkind <> 'p') OR l.oid IN (SELECT t.relid FROM pg_partition_tree(c.oid) t WHERE t.isleaf)
) s
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`;

/** A NOT NULL that is NOT VALID (PostgreSQL 18) leaves NULLs in older rows. */
const columnsStatement = `
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS source_type, a.attnum, a.atttypid::int8::text AS type_oid, a.atttypmod AS own_typmod,
  has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable,
  NOT a.attnotnull OR EXISTS (
    SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND NOT k.convalidated AND a.attnum = ANY (k.conkey)
  ) AS nullable,
  tn.nspname AS type_schema, b.typname AS type_name, b.typtype AS type_kind, b.typmod, b.typinput = 'array_in'::regproc AS is_array
FROM pg_attribute a
CROSS JOIN LATERAL (
  WITH RECURSIVE base AS (
    SELECT t.*, a.atttypmod AS typmod FROM pg_type t WHERE t.oid = a.atttypid
    UNION ALL
    SELECT t.*, CASE WHEN base.typmod = -1 THEN base.typtypmod ELSE base.typmod END
    FROM base JOIN pg_type t ON t.oid = base.typbasetype WHERE base.typtype = 'd'
  )
  SELECT * FROM base WHERE typtype <> 'd'
) b
JOIN pg_namespace tn ON tn.oid = b.typnamespace
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`;

/** Without columns that the key's index only includes. */
const primaryKeyStatement = `
SELECT a.attname AS name
FROM pg_index i
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = $1::oid AND i.indisprimary AND k.position <= i.indnkeyatts
ORDER BY k.position`;

/** @throws FirnError SourceTableMissing */
export async function readTable(client: ClientBase, { schema, table }: Relation): Promise<SourceTable> {
  const [row] = await query<{
    oid: string;
    relkind: keyof typeof kinds;
    readable: boolean;
    lockable: boolean;
    rows: number | null;
    analyzed: boolean | null;
    bytes: number | null;
  }>(client, tableStatement, [schema, table]);
  if (row === undefined) {
    throw new FirnError('SourceTableMissing', `PostgreSQL at ${describeAddress(addressOf(client))} has no table ${schema}.${table}.`);
  }
  const kind = kinds[row.relkind];
  const counted = row.analyzed === true && kind !== 'view';
  const { readable, lockable } = row;
  return { oid: Number(row.oid), kind, readable, lockable, estimatedRows: counted ? row.rows : null, estimatedBytes: row.bytes ?? 0 };
}

/** The columns in the table's order, without dropped ones. */
export async function readColumns(client: ClientBase, oid: number): Promise<SourceColumn[]> {
  const rows = await query<{
    name: string;
    source_type: string;
    attnum: number;
    type_oid: string;
    own_typmod: number;
    nullable: boolean;
    readable: boolean;
    type_schema: string;
    type_name: string;
    type_kind: string;
    typmod: number;
    is_array: boolean;
  }>(client, columnsStatement, [oid]);
  return rows.map((row) => ({
    name: row.name,
    sourceType: row.source_type,
    attnum: row.attnum,
    typeOid: Number(row.type_oid),
    typmod: row.own_typmod,
    nullable: row.nullable,
    readable: row.readable,
    type: { schema: row.type_schema, name: row.type_name, kind: row.type_kind, typmod: row.typmod, array: row.is_array },
  }));
}

/**
 * The table's columns on their way to Snowflake, its key and its size.
 * @throws FirnError SourceTableMissing, SourcePermissionDenied, ConfigInvalid (a column is configured that does not exist),
 *   ColumnNameCollision (two targets are equal but for case, or one is a column of Firn)
 */
export async function describeTable(
  client: ClientBase,
  relation: Relation,
  settings: { columns?: TableConfig['columns']; policies?: Policies } = {},
): Promise<TableDescription> {
  const { readable, lockable: _, ...table } = await readTable(client, relation);
  const { oid } = table;
  const name = `${relation.schema}.${relation.table}`;
  if (!readable) {
    throw new FirnError('SourcePermissionDenied', `PostgreSQL at ${describeAddress(addressOf(client))}: the user may not read ${name}.`);
  }
  const all = await readColumns(client, oid);
  const chosen = chooseColumns(all, settings.columns, name);
  const denied = chosen.filter((column) => !column.readable).map((column) => column.name);
  if (denied.length > 0) {
    throw new FirnError(
      'SourcePermissionDenied',
      `PostgreSQL at ${describeAddress(addressOf(client))}: the user may not read ${denied.join(', ')} of ${name}: grant SELECT on the table or on these columns, or leave them out by columns.exclude.`,
    );
  }
  const columns = chosen.map((column): Column => {
    const mask = settings.columns?.mask?.[column.name];
    const large = settings.columns?.large?.includes(column.name) ?? false;
    const { selection: _, decoder: __, ...mapped } = mapType(column.type, settings.policies ?? defaultPolicies, { large, mask });
    if (large && !isLarge(mapped)) {
      throw new FirnError(
        'ConfigInvalid',
        `${name}: columns.large names ${column.name}, whose type ${column.sourceType} is neither text nor bytes.`,
      );
    }
    const target = settings.columns?.rename?.[column.name] ?? column.name.toUpperCase();
    return {
      name: column.name,
      target,
      sourceType: column.sourceType,
      attnum: column.attnum,
      typeOid: column.typeOid,
      typmod: column.typmod,
      nullable: column.nullable || mapped.unrepresentable === 'null' || mask === 'null',
      ...mapped,
      ...(mask && { mask }),
    };
  });
  refuseCollisions(columns, name);
  const key = await query<{ name: string }>(client, primaryKeyStatement, [oid]);
  return { ...table, columns, primaryKey: key.map((row) => row.name) };
}
