import type { ErrorRecord } from '../errors.js';
import type { HeldBack, Mode } from '../plan/plan.js';

export type RunStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'SUPERSEDED' | 'REJECTED';

/** The answer to one row of `SELECT ingest_table(…)`, the record of a run, and a row of FIRN.RUNS. At most 16 KB as JSON. */
export interface Receipt {
  run_id: string;
  status: RunStatus;
  source: string;
  database: string;
  table: string;
  mode: Mode | null;
  /** True: the call joined a run that another call had started. */
  joined: boolean;
  /** Clock of the source when the rows were read. */
  read_as_of: string | null;
  rows_read: number | null;
  rows_loaded: number | null;
  /** = inserted + updated + unchanged + superseded (older than what staging holds, or than another row of the run). */
  rows_merged: number | null;
  rows_inserted: number | null;
  rows_updated: number | null;
  rows_unchanged: number | null;
  rows_superseded: number | null;
  rows_deleted: number | null;
  /** Who read the rows: `lambda`, `glue`, or `lambda, then glue`. */
  engine: string | null;
  /** Why it was that one by the plan. */
  engine_reason: string | null;
  files: number | null;
  bytes: number | null;
  watermark_before: string | null;
  watermark_after: string | null;
  /** The open or prepared transaction because of which the next run reads again. */
  held_back_by: HeldBack | null;
  started_at: string;
  finished_at: string | null;
  seconds: number | null;
  warnings: string[];
  error: ErrorRecord | null;
  execution_arn: string | null;
  /** s3:// URL of the run's log folder. */
  log: string | null;
}
