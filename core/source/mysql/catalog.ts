import type { Column } from '../../column.js';
import type { TableConfig } from '../../config/schema.js';
import { FirnError } from '../../errors.js';
import { chooseColumns, refuseCollisions } from '../choose-columns.js';
import type { DescribedTable, Relation } from '../source.js';
import { describeAddress } from '../source-error.js';
import { query, type Session } from './connection.js';
import { defaultPolicies, mapType, type Policies, type SourceType } from './types.js';

export interface SourceTable {
  /** As the source spells it: with lower_case_table_names it may differ from how it was asked for. */
  relation: Relation;
  /** Null: a view. */
  engine: string | null;
  /** By the engine's statistics; null: a view. */
  averageRowBytes: number | null;
}

export interface SourceColumn {
  name: string;
  sourceType: string;
  nullable: boolean;
  type: SourceType;
}

/** One of names that differ only by case: information_schema compares without regard to it. */
const exact = <Row extends { name: string }>(rows: Row[], name: string): Row | undefined =>
  rows.find((row) => row.name === name) ?? (rows.length === 1 ? rows[0] : undefined);

/** @throws FirnError SourceTableMissing: it does not exist, or the user may not see it */
export async function readTable(session: Session, { schema, table }: Relation): Promise<SourceTable> {
  const rows = await query<{ name: string; owner: string; type: string; engine: string | null; width: number | null }>(
    session,
    `SELECT TABLE_NAME AS name, TABLE_SCHEMA AS owner, TABLE_TYPE AS type, ENGINE AS engine, AVG_ROW_LENGTH AS width
     FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND TABLE_TYPE <> 'SEQUENCE'`,
    [schema, table],
  );
  const row = exact(rows, table);
  if (row === undefined) {
    throw new FirnError(
      'SourceTableMissing',
      `MySQL at ${describeAddress(session.secret)} has no table ${schema}.${table}, or does not show it to the user.`,
    );
  }
  const isView = row.type.includes('VIEW');
  return {
    relation: { schema: row.owner, table: row.name },
    engine: isView ? null : row.engine,
    averageRowBytes: isView ? null : Number(row.width ?? 0),
  };
}

/** All columns in the table's order, invisible and generated ones too. */
export async function readColumns(session: Session, { schema, table }: Relation): Promise<SourceColumn[]> {
  const rows = await query<{
    name: string;
    owner: string;
    full: string;
    type: string;
    nullable: string;
    numbers: number | null;
    scale: number | null;
    charset: string | null;
  }>(
    session,
    `SELECT COLUMN_NAME AS name, TABLE_NAME AS owner, COLUMN_TYPE AS full, DATA_TYPE AS type, IS_NULLABLE AS nullable,
       NUMERIC_PRECISION AS numbers, NUMERIC_SCALE AS scale, CHARACTER_SET_NAME AS charset
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
    [schema, table],
  );
  const checked = session.isMariaDb ? await jsonChecks(session, { schema, table }) : new Set<string>();
  return rows
    .filter(({ owner }) => owner === table)
    .map(({ name, full, type, nullable, numbers, scale, charset }) => ({
      name,
      sourceType: full,
      nullable: nullable === 'YES',
      type: {
        name: type.toLowerCase(),
        full,
        precision: numbers === null ? null : Number(numbers),
        scale: scale === null ? null : Number(scale),
        charset,
        checkedAsJson: checked.has(name),
      },
    }));
}

/** MariaDB's JSON is a longtext that it checks itself; MySQL has a type of its own. */
async function jsonChecks(session: Session, { schema, table }: Relation): Promise<Set<string>> {
  const rows = await query<{ clause: string; owner: string }>(
    session,
    `SELECT CHECK_CLAUSE AS clause, TABLE_NAME AS owner FROM information_schema.CHECK_CONSTRAINTS
     WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ? AND LEVEL = 'Column'`,
    [schema, table],
  );
  const names = rows.filter(({ owner }) => owner === table).map(({ clause }) => /^json_valid\(`((?:[^`]|``)*)`\)$/.exec(clause)?.[1]);
  return new Set(names.filter((name) => name !== undefined).map((name) => name.replaceAll('``', '`')));
}

export async function readPrimaryKey(session: Session, { schema, table }: Relation): Promise<string[]> {
  const rows = await query<{ name: string; owner: string }>(
    session,
    `SELECT COLUMN_NAME AS name, TABLE_NAME AS owner FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX`,
    [schema, table],
  );
  return rows.filter(({ owner }) => owner === table).map(({ name }) => name);
}

/** Above all a mask that is not applied must not go unnoticed. */
function refuseUnsupported(columns: TableConfig['columns'], table: string): void {
  for (const key of ['large', 'mask'] as const) {
    if (columns?.[key]) throw new FirnError('ConfigInvalid', `${table}: columns.${key} is not available for MySQL and MariaDB yet.`);
  }
}

/**
 * The table's columns on their way to Snowflake, and its key.
 * @throws FirnError SourceTableMissing, ConfigInvalid, ColumnNameCollision
 */
export async function describeTable(
  session: Session,
  asked: Relation,
  settings: { columns?: TableConfig['columns']; policies?: Policies } = {},
): Promise<DescribedTable> {
  const { relation } = await readTable(session, asked);
  const name = `${relation.schema}.${relation.table}`;
  refuseUnsupported(settings.columns, name);
  const chosen = chooseColumns(await readColumns(session, relation), settings.columns, name);
  const columns = chosen.map((column): Column => {
    const { selection: _, decoder: __, ...mapped } = mapType(column.type, settings.policies ?? defaultPolicies);
    return {
      name: column.name,
      target: settings.columns?.rename?.[column.name] ?? column.name.toUpperCase(),
      sourceType: column.sourceType,
      nullable: column.nullable || mapped.unrepresentable === 'null',
      ...mapped,
    };
  });
  refuseCollisions(columns, name);
  return { columns, primaryKey: await readPrimaryKey(session, relation) };
}
