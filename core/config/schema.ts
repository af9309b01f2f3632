import * as z from 'zod';

/** One schema for YAML, `config push`, DynamoDB and the functions: what one accepts, all accept. */

/** `number(p,s)` within what Snowflake and Parquet hold exactly. */
const exactNumber = /^number\(([1-9]|[12]\d|3[0-8]),(\d|[12]\d|3[0-7])\)$/;

const identifier = z.string().min(1).max(255);

/** Settings of one table, as in YAML (snake_case, the words of docs/configuration.md). */
export const tableConfigSchema = z.strictObject({
  /** `table` in the default schema, else `schema.table`. */
  table: identifier.regex(/^[^#]/, 'a name that does not begin with #'),
  /** Where the table stands, when the key cannot say it (names that contain a dot). Default: split `table` at its first dot. */
  relation: z.strictObject({ schema: identifier, table: identifier }).optional(),
  mode: z.enum(['full', 'incremental']).default('full'),
  /** A column, or `xmin`: the transaction that wrote a row, as PostgreSQL notes it. */
  cursor_column: identifier.optional(),
  /**
   * How far below the safe bound each incremental run reads again. Seconds; 60 when it is not declared.
   * A declared one also stands in for the fence where open transactions cannot be seen (docs/guarantees.md).
   */
  lookback_seconds: z.number().int().min(0).optional(),
  /** Age of a transaction from which on the receipt warns that it holds the bound back. Seconds; 3600 when it is not declared. */
  hold_back_warning_seconds: z.number().int().min(0).optional(),
  /** Zone in which a cursor of type `timestamp` or `date` is written, e.g. `Europe/Berlin`. Undeclared: any zone, so 12 hours more are read again. */
  cursor_time_zone: z.string().min(1).optional(),
  on_null_cursor: z.enum(['error', 'include', 'exclude']).default('error'),
  /** Column by which large tables are read in ranges. Default: the primary key, when it is one integer column. */
  partition_column: identifier.optional(),
  /** Default: the primary key at the source. */
  primary_key: z.array(identifier).min(1).optional(),
  columns: z
    .strictObject({
      include: z.array(identifier).min(1).optional(),
      exclude: z.array(identifier).min(1).optional(),
      /** source name → name in Snowflake */
      rename: z.record(identifier, identifier).optional(),
      /** Columns with longer values than 16 MB of text or 8 MB of bytes. */
      large: z.array(identifier).min(1).optional(),
      /** source name → what the source sends in place of the value */
      mask: z.record(identifier, z.enum(['sha256', 'null'])).optional(),
    })
    .optional(),
  /** A boolean SQL expression of the source, e.g. `tenant_id = 7`. */
  row_filter: z.string().min(1).optional(),
  target: z.strictObject({ schema: identifier.optional(), table: identifier.optional(), warehouse: identifier.optional() }).optional(),
  loader: z.enum(['pipe', 'copy']).default('pipe'),
  /** Who reads the table: Lambda, Glue (Spark), or Glue only when it is too large for Lambda. */
  engine: z.enum(['lambda', 'glue', 'auto']).default('auto'),
  deletes: z.enum(['hard', 'soft']).default('hard'),
  /** How an incremental run learns of deleted rows: not at all, or by reading the keys of all rows. */
  delete_detection: z.enum(['none', 'keys']).default('none'),
  /** After a run that changed rows: rebuild gold; or rebuild gold and tell whoever runs dbt; or nothing. Undeclared: build_gold. */
  after_run: z.enum(['build_gold', 'dbt', 'none']).optional(),
  /** A full load that would delete a greater share of the rows fails instead. */
  max_delete_fraction: z.number().min(0).max(1).default(0.5),
  policies: z
    .strictObject({
      numeric_nan: z.enum(['error', 'null']).default('error'),
      /** numeric without precision, or beyond 38 digits. */
      unbounded_numeric: z
        .union([z.enum(['text', 'float']), z.string().regex(exactNumber, 'text, float or number(p,s) with p ≤ 38 and s ≤ 37')])
        .default('text'),
      /** infinity, BC and years beyond 9999; of MySQL also zero dates, and a TIME that is no time of day. */
      date_out_of_range: z.enum(['error', 'null', 'clamp']).default('error'),
      /** JSON, arrays, hstore and composite types: VARIANT, and an error where it cannot hold a value as it is; or their text as it stands. */
      json: z.enum(['error', 'text']).default('error'),
      /** MySQL: a TIME, which is a duration, as TIME or as text. */
      time: z.enum(['time', 'text']).default('time'),
      /** MySQL: a tinyint(1), which BOOLEAN is another name for. */
      tinyint1: z.enum(['number', 'boolean']).default('number'),
    })
    .optional(),
});
export type TableConfig = z.infer<typeof tableConfigSchema>;

export const sourceConfigSchema = z.strictObject({
  /** First argument of ingest_table and first folder of the data: `PostgreSQL`. */
  source: z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, 'letters, digits, _ and -, beginning with a letter'),
  /** Second argument of ingest_table: the name of the database. */
  database: identifier,
  type: z.enum(['postgres', 'mysql']),
  /** Name of the secret in AWS Secrets Manager with host, port, user, password, database, sslmode. Default: `firn/<environment>/<source>/<database>`. */
  secret: z.string().min(1).optional(),
  /** How many tables may be read at once. */
  permits: z.number().int().min(1).max(64).default(4),
  tables: z.array(tableConfigSchema).min(1),
});
export type SourceConfig = z.infer<typeof sourceConfigSchema>;

/** A file under config/. */
export const configFileSchema = z.strictObject({ sources: z.array(sourceConfigSchema).min(1) });
export type ConfigFile = z.infer<typeof configFileSchema>;

/** The `#source` item of TableConfig. */
export type SourceSettings = Omit<SourceConfig, 'tables'>;

export const configKey = (source: string, database: string): string => `${source}#${database}`;
