import { qualifiedName, quoteLiteral } from '../warehouse/identifiers.js';
import { type ExportColumn, exportedColumns } from './casts.js';
import { nameParts } from './checks.js';
import { type ExportConfig, isFolder, largestFile } from './schema.js';
import { bareQuery } from './select-only.js';

/** The statements of an export. What cannot be bound is checked beforehand: queries by select-only.ts, names are quoted. */

/** What is exported, as one SELECT. `table` is the table's full name where there is no query. */
export const selectOf = ({ query }: Pick<ExportConfig, 'query'>, table: string[]): string =>
  query === null ? `SELECT * FROM ${qualifiedName(...table)}` : bareQuery(query);

/** Answers no row, but the columns; a query that cannot be run fails here. */
export const describeStatement = (select: string): string => `SELECT * FROM (\n${select}\n) AS exported LIMIT 0`;

/** Schemas in which a table named without one is looked for: staging and gold. */
export const findTable = `SELECT table_schema AS "SCHEMA", table_name AS "NAME" FROM INFORMATION_SCHEMA.TABLES
WHERE table_name = ? AND (STARTSWITH(table_schema, 'STAGING_') OR table_schema = 'GOLD') ORDER BY table_schema`;

/** Parts of a table's name, unquoted. */
export const tableParts = nameParts;

const formats = {
  parquet: () => 'TYPE = PARQUET COMPRESSION = SNAPPY',
  // Text always stands in quotes, NULL never: so an empty text and NULL differ. Backslashes mean nothing.
  csv: ({ null_value }: ExportConfig) =>
    `TYPE = CSV COMPRESSION = NONE FIELD_OPTIONALLY_ENCLOSED_BY = '"' ESCAPE_UNENCLOSED_FIELD = NONE EMPTY_FIELD_AS_NULL = FALSE NULL_IF = (${quoteLiteral(null_value)})`,
  json: () => 'TYPE = JSON COMPRESSION = NONE',
};

/**
 * Unloads the query below the stage.
 * @param aside key below FIRN.EXPORT_STAGE: of the object, or of the folder with its closing slash
 */
export function copyStatement(config: ExportConfig, select: string, columns: ExportColumn[], aside: string): string {
  const { file_type, max_file_size, partition_by } = config;
  return [
    `COPY INTO ${quoteLiteral(`@FIRN.EXPORT_STAGE/${aside}`)}`,
    `FROM (\nSELECT\n  ${exportedColumns(columns, file_type)}\nFROM (\n${select}\n) AS exported\n)`,
    ...(partition_by ? [`PARTITION BY (${partition_by}\n)`] : []),
    `FILE_FORMAT = (${formats[file_type](config)})`,
    ...(isFolder(config)
      ? [`MAX_FILE_SIZE = ${max_file_size ?? 256_000_000}`]
      : [`SINGLE = TRUE`, `MAX_FILE_SIZE = ${largestFile}`, 'OVERWRITE = TRUE']),
    // Without it the columns of a Parquet file have numbers for names.
    ...(file_type === 'json' ? [] : ['HEADER = TRUE']),
    'DETAILED_OUTPUT = TRUE',
  ].join('\n');
}
