import type * as z from 'zod';
import type { Column } from '../column.js';
import type { TableConfig } from '../config/schema.js';
import type { ErrorCode } from '../errors.js';
import type { Codec } from '../parquet/compression.js';
import type { OpenFile, WrittenFile } from '../parquet/file-series.js';
import type { Chunk, Plan, Watermark } from '../plan/plan.js';
import type { TimeOrderedId } from './postgres/time-ordered-id.js';
import type { SourceSecret } from './secret.js';
import type { Reading } from './watermark.js';

/** The contract between a kind of source and everything else. What is specific to a database stays in its folder. */

export type { SourceSecret };
export type SourceType = Plan['sourceType'];
export type Relation = Plan['relation'];

/** A column that can carry the cursor of an incremental table. */
export interface CursorColumn {
  name: string;
  kind: Watermark['kind'];
  /** Base type, domains resolved; of an identifier that begins with its time, its form. */
  type: 'timestamptz' | 'timestamp' | 'date' | 'int2' | 'int4' | 'int8' | 'xid' | TimeOrderedId;
  nullable: boolean;
  /** How values are compared, where not by the type's own order. */
  comparison?: NonNullable<Plan['cursor']>['comparison'];
  /** The values carry the time of whoever made them, not the server's: a lookback above the skew of his clock has to be declared. */
  foreignClock?: boolean;
}

/** What an incremental run observes before its snapshot, and who holds the bound back. */
export interface Observation extends Reading {
  /** The oldest open transaction, when there is one: pid, since when, by whom. */
  oldest: { pid: number; user: string | null; application: string | null; since: string; seconds: number } | null;
  /** The prepared transaction that holds the bound back, when there is one. */
  oldestPrepared?: { gid: string; since: string; seconds: number } | null;
  /** Which server this is, where numbers of another one would mean something else: it changes when a standby is promoted or a backup restored. */
  server?: string;
  warnings: string[];
}

/** What the source expects of a read. */
export interface Estimate {
  rows: number;
  /** Width of the columns read, uncompressed. */
  bytes: number;
}

/** The table as the source describes it. `primaryKey` holds the source's names, in the key's order; empty when there is none. */
export interface DescribedTable {
  /** Another number: the table was dropped and made again. Absent where the source has none. */
  oid?: number;
  columns: Column[];
  primaryKey: string[];
}

/** What is to be cut into `wanted` chunks. `primaryKey` as in DescribedTable. */
export interface ToSplit {
  relation: Relation;
  partitionColumn: string | undefined;
  primaryKey: string[];
  /** What the source expects of the whole read. */
  estimate: Estimate;
  wanted: number;
}

/** The chunks, or why the table can only be read in one piece. */
export type Split = { chunks: Chunk[] } | { refused: string };

/** A session in autocommit, for planning: it looks at the catalog and at single values, and reads no rows. */
export interface SourceSession {
  /** Schema of a table whose key in the configuration names none. */
  readonly defaultSchema: string;
  /** @throws FirnError SourceTableMissing, SourcePermissionDenied, ConfigInvalid, ColumnNameCollision */
  describeTable(relation: Relation, settings: Pick<TableConfig, 'columns' | 'policies'>): Promise<DescribedTable>;
  /** @throws FirnError CursorColumnMissing, CursorColumnUnsuitable */
  readCursorColumn(relation: Relation, column: string): Promise<CursorColumn>;
  countNullCursors(relation: Relation, column: string, rowFilter: string | null): Promise<number>;
  /** U and t, then F, then P of the cursor rule. @throws FirnError FenceUnreadable */
  observe(relation: Relation, cursor: CursorColumn, declaredLookback: number | null): Promise<Observation>;
  /** Text of the inclusive lower bound of a time cursor, `lookbackSeconds` below `safe`. */
  timeBound(type: CursorColumn['type'], safe: string, lookbackSeconds: number, zone: string | null): Promise<string>;
  /**
   * Whether the rows from `from` on (null: all) have values that the cursor can be compared by, where the type alone does not say so.
   * @throws FirnError CursorColumnUnsuitable
   */
  checkCursorValues?(relation: Relation, cursor: CursorColumn, from: string | null): Promise<void>;
  estimateRead(read: Pick<Plan, 'relation' | 'columns' | 'rowFilter' | 'cursor'>): Promise<Estimate>;
  split(table: ToSplit): Promise<Split>;
  end(): Promise<void>;
}

/** Which rows of a table are read. `rowFilter` is SQL of the source, trusted: it comes from the table's configuration. */
export interface Where {
  rowFilter: string | null;
  cursor: Plan['cursor'];
  chunk: Chunk | null;
}

/** One chunk on its way into Parquet files. */
export interface TableRead {
  connection: SourceSecret;
  relation: Relation;
  columns: readonly Column[];
  where: Where;
  /** Connections that may read at once, in one snapshot; a source reads by fewer where more would not help. Default: 1. */
  connections?: number;
  /** Target names of the key, to tell which row holds a value. */
  primaryKey?: readonly string[];
  /** String columns that hold one value in all rows. */
  constants: Readonly<Record<string, string>>;
  codec?: Codec;
  /** After how many bytes a file is closed. Default: 128 MiB. */
  fileBytes?: number;
  /** Key-value metadata of each file. */
  metadata?: Readonly<Record<string, string>>;
  /** Ranges that are read one after another from the one snapshot instead of `where.chunk`, of which they are the beginning: each is asked for when the one before is read. */
  pieces?: Iterable<Chunk>;
  openFile: OpenFile;
  /**
   * Reads the key of each row too, whatever its cursor, by the row filter alone: after the rows, in their snapshot or a later one. Into files
   * with the key's columns and these constants. Only with the last rows of the chunk.
   */
  keys?: { constants: Readonly<Record<string, string>>; openFile: OpenFile };
  /** Cancels the query at the server; its reason is thrown. */
  signal?: AbortSignal;
  /** After each row group. */
  onProgress?: (progress: { rows: number; bytes: number }) => void;
}

/** A value that was replaced by its column's policy: told for the first ones of each column. */
export interface Replaced {
  column: string;
  policy: string;
  value: string;
  /** `id=42`, or empty when the key is not among the columns. */
  key: string;
}

export interface Extracted {
  rows: number;
  /** None when there are no rows. */
  files: WrittenFile[];
  /** Why connections that were allowed could not be opened; the others have read their share. */
  refused?: Error[];
  /** The files of keys, where they were to be read. */
  keys?: { rows: number; files: WrittenFile[] };
  /** Clock of the source when the snapshot was taken. ISO 8601, UTC, microseconds. */
  readAsOf: string;
  /** Values replaced, by `COLUMN: policy`. */
  policyCounts: Record<string, number>;
  /** The first of them, with the keys of their rows. */
  replaced: Replaced[];
}

export type SparkRead = Pick<TableRead, 'connection' | 'relation' | 'columns' | 'where'>;

/** The rows of a read as Spark asks for them by JDBC, for glue-scripts/extract_table.py. */
export interface SparkQuery {
  /** Statements that begin each transaction. */
  session: string;
  /** Sends the columns as `_firn_0`, `_firn_1`, …, each in the form that the script takes for its Parquet type. */
  query: string;
  /** Which rows of the query are a chunk's; one per chunk. */
  conditions: string[];
  /** Query of one value: the source's clock, ISO 8601, UTC, microseconds. */
  clock: string;
  /** Codes of errors, by the server's number, by SQLSTATE or by its class. */
  sqlStates: Record<string, ErrorCode>;
  /** Which server, for messages. */
  address: string;
  /** What a row holds on average, 0 when nobody knows. */
  rowBytes: number;
}

/** What a kind of source can do. */
export interface SourceKind {
  secretSchema: z.ZodType<SourceSecret>;
  /** @throws FirnError SourceUnreachable, SourceBusy, SourceCredentialsRejected, SourceTlsFailed */
  open(secret: SourceSecret): Promise<SourceSession>;
  /**
   * Reads rows of one table from one snapshot and writes them as Parquet files, within a memory bound whatever the size of the table.
   * @throws FirnError Source…, SchemaChangedDuringRun, CursorIsNull, ValueOutOfRange, Aborted
   */
  extract(read: TableRead): Promise<Extracted>;
  /**
   * The same read for Spark.
   * @throws FirnError Source…, SchemaChangedDuringRun, CursorIsNull
   */
  sparkQuery(read: SparkRead, chunks: readonly Chunk[]): Promise<SparkQuery>;
}
