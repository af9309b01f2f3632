/**
 * Every error that a user can meet. `code` is stable and is also the JavaScript error name, so that
 * Step Functions can match it in Retry and Catch after minifying.
 *
 * The catalogue is data: a new error is a new row, and the state machine's retries, the receipts and
 * docs/errors.md are derived from it.
 */

/** What the reader of the error has to do: nothing (we retry), change configuration, change the source, report a bug. */
export type Remedy = 'retry' | 'configuration' | 'source' | 'bug';

interface Entry {
  remedy: Remedy;
  /** What to do, as an imperative sentence. */
  action: string;
}

const define = <T extends Record<string, Entry>>(entries: T): T => entries;

export const catalogue = define({
  // At the door
  ArgumentInvalid: {
    remedy: 'configuration',
    action: "Call ingest_table('<source>', '<database>', '<table>') with three non-empty strings and, optionally, an options object.",
  },
  ConfigInvalid: {
    remedy: 'configuration',
    action: 'Correct the configuration file at the place named and push it again with `firn config push`.',
  },
  ConfigConflict: {
    remedy: 'configuration',
    action: 'Somebody pushed a newer version: read the difference with `firn config push --dry-run` and push again.',
  },
  TableNotConfigured: { remedy: 'configuration', action: 'Add the table to your YAML under config/ and run `firn config push`.' },
  RunNotFound: { remedy: 'configuration', action: 'Check the run id: `SELECT * FROM firn.runs` lists the runs.' },
  RunNotRetryable: {
    remedy: 'configuration',
    action: 'Only failed runs younger than 14 days can be redriven; start a new run with ingest_table instead.',
  },
  // Source
  SourceUnreachable: { remedy: 'retry', action: 'Check that the database is up and that its network admits Firn, then redrive the run.' },
  SourceBusy: {
    remedy: 'retry',
    action: 'The source refused another connection: raise its connection limit or lower `permits`, then redrive the run.',
  },
  SourceConnectionLost: { remedy: 'retry', action: 'The connection broke while reading; redrive the run.' },
  SourceCredentialsRejected: {
    remedy: 'configuration',
    action: "Correct the user, password or database in the source's secret, then redrive the run.",
  },
  SourceTlsFailed: {
    remedy: 'configuration',
    action: "Correct `sslmode` or the CA certificate in the source's secret, then redrive the run.",
  },
  SourcePermissionDenied: {
    remedy: 'source',
    action: 'Grant SELECT on the table (and USAGE on its schema) to the Firn user, then redrive the run.',
  },
  SourceTableMissing: {
    remedy: 'configuration',
    action: 'Correct the name of the table in the configuration, or create it at the source, then redrive the run.',
  },
  SourceQueryFailed: {
    remedy: 'source',
    action: 'Read the message of the source database, correct the filter or the table, then redrive the run.',
  },
  CursorColumnMissing: {
    remedy: 'configuration',
    action: 'Set `cursor_column` to a column of the table, or use mode: full, then push the configuration and start a new run.',
  },
  CursorColumnUnsuitable: {
    remedy: 'configuration',
    action:
      'Choose another `cursor_column` (a timestamp, a date, a growing integer, UUIDs of version 7, ULIDs, or `xmin`), or use mode: full.',
  },
  CursorIsNull: { remedy: 'source', action: 'Fill the cursor column, or set `on_null_cursor: include | exclude` for the table.' },
  PrimaryKeyMissing: {
    remedy: 'configuration',
    action: 'Add a primary key at the source, declare `primary_key` in the configuration, or use mode: full.',
  },
  PrimaryKeyNotUnique: {
    remedy: 'configuration',
    action: 'Correct `primary_key`: name the columns that tell every row from every other. Then start a new run.',
  },
  PrimaryKeyChanged: {
    remedy: 'configuration',
    action: "Start a run with ingest_table(…, {'mode': 'full'}): its rows replace those in staging. Then incremental runs go on.",
  },
  FenceUnreadable: {
    remedy: 'source',
    action: 'GRANT pg_read_all_stats (MySQL: PROCESS ON *.*) to the Firn user, or declare `lookback_seconds` for the table.',
  },
  ColumnUnsupported: { remedy: 'configuration', action: 'Exclude the column, or choose a policy for its type (docs/types.md).' },
  ColumnNameCollision: { remedy: 'configuration', action: 'Two names become one in Snowflake: rename one of them under `columns.rename`.' },
  ValueOutOfRange: { remedy: 'source', action: 'Correct the value at the source, or choose a policy for the type (docs/types.md).' },
  ChunkTooLarge: { remedy: 'retry', action: 'The rest of the table is read by Glue; nothing needs to be done.' },
  ChunkTimedOut: {
    remedy: 'configuration',
    action:
      'Use `engine: auto` where the environment has Glue, or, for a table above 2 GB, set `partition_column` to integers that are spread evenly; push the configuration and start a new run: a redrive goes on by the same plan.',
  },
  ExtractJobFailed: {
    remedy: 'source',
    action:
      "Read the job run's log in CloudWatch (/aws-glue/jobs); if it ran out of memory, set a larger `glue.worker_type` for the environment; then redrive the run.",
  },
  SchemaChangedDuringRun: { remedy: 'retry', action: 'The table changed while it was read; start a new run.' },
  // Load and merge
  WarehouseUnreachable: { remedy: 'retry', action: 'Check the Snowflake account and its network policy, then redrive the run.' },
  WarehouseCredentialsRejected: {
    remedy: 'configuration',
    action: "Correct the key pair or user in Firn's Snowflake secret, then redrive the run.",
  },
  WarehousePermissionDenied: {
    remedy: 'configuration',
    action: "Grant the privilege named to Firn's Snowflake role, then redrive the run.",
  },
  WarehouseStatementFailed: {
    remedy: 'bug',
    action: 'Read the message of Snowflake; if it is not about your configuration, please report it with the run id.',
  },
  LoadRejected: {
    remedy: 'source',
    action: 'Snowflake rejected a file: correct the value named at the source or choose a policy for its type, then start a new run.',
  },
  LoadIncomplete: { remedy: 'retry', action: 'The pipe has not loaded all files in time; redrive the run.' },
  PipePaused: { remedy: 'configuration', action: 'Resume the pipe with the command in the message, then redrive the run.' },
  StagingMissing: {
    remedy: 'configuration',
    action: "Bring the table back in Snowflake (UNDROP), or start a run with ingest_table(…, {'mode': 'full'}), which reads everything.",
  },
  DeleteFractionExceeded: {
    remedy: 'source',
    action: 'More rows vanished than `max_delete_fraction` allows: check the source, or start a run with a higher limit.',
  },
  CountMismatch: {
    remedy: 'bug',
    action: 'Rows read, loaded and merged differ: nothing was committed. Redrive the run, and report it if it stays.',
  },
  // Exports
  ExportNotConfigured: {
    remedy: 'configuration',
    action: 'Name a file of exports that was pushed: `firn config push` pushes config/exports.yaml and config/exports/*.yaml.',
  },
  ExportNotFound: { remedy: 'configuration', action: 'Check the export id: export_tables answers it; it is remembered for 90 days.' },
  ExportQueryFailed: {
    remedy: 'configuration',
    action: 'Correct the export (`firn export --dry-run` checks it), push it with `firn config push`, and redrive the execution.',
  },
  ExportIncomplete: {
    remedy: 'bug',
    action: 'The files are not what Snowflake said; the old object still stands. Redrive the execution, and report it if it stays.',
  },
  ExportFailed: {
    remedy: 'configuration',
    action: "Read each export's reason, then redrive the execution: it makes those again that failed.",
  },
  // Workflow
  Superseded: { remedy: 'retry', action: 'A newer run has committed this table; nothing needs to be done.' },
  PermitUnavailable: { remedy: 'retry', action: "All of the source's permits are taken; the run waits and retries by itself." },
  TimedOut: { remedy: 'retry', action: 'A step exceeded its time; redrive the run.' },
  ServiceUnavailable: { remedy: 'retry', action: 'An AWS service refused or failed a request for a moment; redrive the run.' },
  Aborted: { remedy: 'retry', action: 'Somebody stopped the execution; redrive the run.' },
  Internal: { remedy: 'bug', action: 'Please report it with the run id; redriving the run is safe.' },
});

export type ErrorCode = keyof typeof catalogue;

/** The form in which an error travels in receipts, run records, logs and RUN_EVENTS. Never holds a secret. */
export interface ErrorRecord {
  code: ErrorCode;
  remedy: Remedy;
  /** What happened, to which table, column or value. One line. */
  message: string;
  /** What to do. */
  action: string;
}

/** An error with a stable code. `message` says what happened, to what; the action comes from the catalogue. */
export class FirnError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.name = code;
  }

  get remedy(): Remedy {
    return catalogue[this.code].remedy;
  }

  toRecord(): ErrorRecord {
    return errorRecord(this.code, this.message);
  }
}

export function errorRecord(code: ErrorCode, message: string): ErrorRecord {
  const { remedy, action } = catalogue[code];
  return { code, remedy, message: message.replace(/\s+/g, ' ').trim(), action };
}

export function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(catalogue, name);
}

/** Any thrown value as a FirnError: an unknown one becomes `Internal` and keeps its cause. */
export function asFirnError(error: unknown): FirnError {
  if (error instanceof FirnError) return error;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new FirnError('Internal', text, { cause: error });
}

/** Codes that Step Functions retries by itself, with backoff. */
export const retriedCodes: ErrorCode[] = (Object.keys(catalogue) as ErrorCode[]).filter(
  (code) =>
    catalogue[code].remedy === 'retry' &&
    !['Superseded', 'SchemaChangedDuringRun', 'ChunkTooLarge', 'LoadIncomplete', 'TimedOut', 'Aborted'].includes(code),
);
