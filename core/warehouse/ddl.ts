import type { Plan } from '../plan/plan.js';
import { tablePrefix } from '../raw-bucket/layout.js';
import { operations, systemColumns } from '../system-columns.js';
import { committedView, pipeName, qualifiedName, quoteIdentifier, quoteLiteral } from './identifiers.js';
import { stagingColumns } from './merge-plan.js';
import { compareTypes, parseType } from './types.js';

/** The statements that create or evolve the objects of one table. Pure text, free of Node APIs. */
export type TablePlan = Pick<Plan, 'columns' | 'primaryKey' | 'target' | 'loader'> & {
  run: Pick<Plan['run'], 'source' | 'database' | 'table'>;
};

interface ColumnDefinition {
  name: string;
  type: string;
}

const text = (name: string): ColumnDefinition => ({ name, type: 'VARCHAR' });

export const rawDefinitions = (plan: TablePlan): ColumnDefinition[] => [
  ...plan.columns.map(({ target, raw }) => ({ name: target, type: raw })),
  text(systemColumns.run),
  text(systemColumns.op),
  text(systemColumns.order),
  text(systemColumns.file),
  { name: systemColumns.row, type: 'NUMBER(38,0)' },
  // An instant: as TIMESTAMP_NTZ it would be the wall clock of the pipe's zone, which is the account's.
  { name: systemColumns.loadedAt, type: 'TIMESTAMP_LTZ(6)' },
];

export const stagingDefinitions = (plan: TablePlan): ColumnDefinition[] => [
  ...plan.columns.map(({ target, staging }) => ({ name: target, type: staging })),
  text(stagingColumns.order),
  text(stagingColumns.run),
  { name: stagingColumns.hash, type: 'NUMBER(38,0)' },
  { name: stagingColumns.deleted, type: 'BOOLEAN' },
  { name: stagingColumns.loadedAt, type: 'TIMESTAMP_NTZ(6)' },
];

const column = ({ name, type }: ColumnDefinition): string => `${quoteIdentifier(name)} ${type}`;

export function createRawTable(plan: TablePlan): string {
  return `CREATE TABLE IF NOT EXISTS ${qualifiedName(plan.target.rawSchema, plan.target.rawTable)} (
${rawDefinitions(plan)
  .map((definition) => `  ${column(definition)}`)
  .join(',\n')}
)`;
}

/**
 * A column that is NOT NULL at the source is nullable here: dropped at the source, it stays and is NULL from then on. For that the key is not
 * declared either, since a PRIMARY KEY makes its columns NOT NULL, which Snowflake does enforce.
 */
export function createStagingTable(plan: TablePlan): string {
  const mandatory = [stagingColumns.order, stagingColumns.hash, stagingColumns.deleted] as string[];
  const lines = stagingDefinitions(plan).map((definition) => column(definition) + (mandatory.includes(definition.name) ? ' NOT NULL' : ''));
  return `CREATE TABLE IF NOT EXISTS ${qualifiedName(plan.target.stagingSchema, plan.target.stagingTable)} (
${lines.map((line) => `  ${line}`).join(',\n')}
)`;
}

/** The rows of sealed runs only: raw may hold files of attempts that were given up, and files of keys alone. */
export function createCommittedView(plan: TablePlan): string {
  const { rawSchema, rawTable } = plan.target;
  return `CREATE OR REPLACE VIEW ${qualifiedName(rawSchema, committedView(rawTable))} COPY GRANTS AS
SELECT r.*
FROM ${qualifiedName(rawSchema, rawTable)} AS r
WHERE EXISTS (
  SELECT 1 FROM FIRN.RUN_FILES AS f
  WHERE f.run_id = r.${quoteIdentifier(systemColumns.run)} AND f.file = r.${quoteIdentifier(systemColumns.file)}
)
  AND r.${quoteIdentifier(systemColumns.op)} IS DISTINCT FROM ${quoteLiteral(operations.key)}`;
}

/** Of a COPY INTO: the columns of raw that are not in the file. */
export const includeMetadata = `INCLUDE_METADATA = (${[
  [systemColumns.file, 'METADATA$FILENAME'],
  [systemColumns.row, 'METADATA$FILE_ROW_NUMBER'],
  [systemColumns.loadedAt, 'METADATA$START_SCAN_TIME'],
]
  .map(([name = '', value]) => `${quoteIdentifier(name)} = ${value}`)
  .join(', ')})`;

/** Never OR REPLACE: a recreated pipe forgets which files it has loaded. */
export function createPipe(plan: TablePlan): string {
  const { rawSchema, rawTable } = plan.target;
  return `CREATE PIPE IF NOT EXISTS ${qualifiedName(rawSchema, pipeName(rawTable))} AUTO_INGEST = TRUE AS
COPY INTO ${qualifiedName(rawSchema, rawTable)}
FROM ${quoteLiteral(`@FIRN.RAW_STAGE/${tablePrefix(plan.run)}`)}
FILE_FORMAT = (FORMAT_NAME = 'FIRN.PARQUET_FORMAT')
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
${includeMetadata}
ON_ERROR = SKIP_FILE`;
}

/** A table that is loaded by COPY has no pipe: each keeps its own history, so both would load every file. */
export const dropPipe = ({ target }: TablePlan): string =>
  `DROP PIPE IF EXISTS ${qualifiedName(target.rawSchema, pipeName(target.rawTable))}`;

/** A row of INFORMATION_SCHEMA.COLUMNS. */
export interface HeldColumn {
  name: string;
  dataType: string;
  precision: number | null;
  scale: number | null;
  length: number | null;
}

/** As DDL writes it. */
export const heldType = ({ dataType, precision, scale, length }: HeldColumn): string => {
  const family = parseType(dataType).family;
  if (family === 'NUMBER') return `NUMBER(${precision ?? 38},${scale ?? 0})`;
  return length && (family === 'VARCHAR' || family === 'BINARY') ? `${family}(${length})` : family;
};

export interface Evolution {
  statements: string[];
  /** One line per change, for the log. */
  changes: string[];
}

/** What brings a table that holds `held` to `wanted`, all of which it can hold. Columns that are wanted no longer are kept. */
export function evolveTable(schema: string, table: string, held: HeldColumn[], wanted: ColumnDefinition[]): Evolution {
  const evolution: Evolution = { statements: [], changes: [] };
  const alter = `ALTER TABLE ${qualifiedName(schema, table)}`;
  for (const { name, type } of wanted) {
    const found = held.find((one) => one.name === name);
    const label = `${schema}.${table}.${name}`;
    if (!found) {
      evolution.statements.push(`${alter} ADD COLUMN IF NOT EXISTS ${column({ name, type })}`);
      evolution.changes.push(`${label} added as ${type}`);
      continue;
    }
    const change = compareTypes(parseType(heldType(found)), parseType(type));
    if (change.kind === 'widen') {
      evolution.statements.push(`${alter} ALTER COLUMN ${quoteIdentifier(name)} SET DATA TYPE ${change.type}`);
      evolution.changes.push(`${label} widened from ${heldType(found)} to ${change.type}`);
    }
  }
  return evolution;
}
