import * as z from 'zod';
import { columnSchema } from '../column.js';

/** What an execution is about: the input of the state machine. Holds no time, secret or watermark, so a redrive reads the present. */
export const runRefSchema = z.object({
  /** ULID; also the execution's name. */
  runId: z.string().length(26),
  source: z.string().min(1),
  database: z.string().min(1),
  /** `table` in the default schema, else `schema.table`: the key of TableConfig. */
  table: z.string().min(1),
});
export type RunRef = z.infer<typeof runRefSchema>;

export const modeSchema = z.enum(['full', 'incremental']);
export type Mode = z.infer<typeof modeSchema>;

/**
 * One reading of the cursor rule (docs/guarantees.md, late commits): everything that a later run needs to compute its lower bound.
 * Timestamps are ISO 8601 with microseconds in UTC, as Postgres' to_char prints them; integers are decimal text.
 */
export const watermarkSchema = z.object({
  cursorColumn: z.string(),
  kind: z.enum(['time', 'integer', 'xmin']),
  /** F: least of now() and the xact_start of all other sessions, taken before the snapshot. */
  fence: z.string(),
  /** P: xids of prepared transactions at that time. */
  prepared: z.array(z.string()),
  /** Integer cursors: U = max(cursor), read in autocommit at `readAt`. xmin: the xmin of a snapshot, with its epoch. */
  upper: z.string().nullable(),
  readAt: z.string(),
  /** `safe` of the rule: no transaction that could still commit began before it. */
  safe: z.string().nullable(),
  /** The next run reads `cursor >= lowerBound`; null: everything. */
  lowerBound: z.string().nullable(),
  /** Integer and xmin: which server gave the numbers. */
  server: z.string().optional(),
});
export type Watermark = z.infer<typeof watermarkSchema>;

/** Who holds the next lower bound back: a session's open transaction (`pid`), or a prepared one (`prepared`: its gid). */
export const heldBackSchema = z.object({
  pid: z.int().nullable(),
  prepared: z.string().nullable(),
  user: z.string().nullable(),
  application: z.string().nullable(),
  /** Since when: start of the transaction, or when it was prepared. ISO 8601, UTC. */
  since: z.string(),
  /** Its age when the run was planned. */
  seconds: z.int(),
});
export type HeldBack = z.infer<typeof heldBackSchema>;

/** A range of one unique column, text of the values as the source prints them; neither `column` nor `key`: the whole table. */
export const chunkSchema = z.object({
  number: z.int().min(0),
  column: z.string().nullable(),
  /** Inclusive. */
  from: z.string().nullable(),
  /** Exclusive; null: open end. */
  to: z.string().nullable(),
  /** A range of a key of several columns, or of one that is no integer, in the key's order; then `column`, `from` and `to` are null. */
  key: z
    .object({
      columns: z.array(z.string()).min(1),
      from: z.array(z.string()).nullable(),
      to: z.array(z.string()).nullable(),
      /** As the chunk's. */
      steps: z.array(z.array(z.string())).optional(),
    })
    .optional(),
  /** Values between `from` and `to`: at each of them a reader may stop, and another one goes on. */
  steps: z.array(z.string()).optional(),
});
export type Chunk = z.infer<typeof chunkSchema>;

/** Who reads the table, and why. `movable`: what turns out too large for Lambda goes to Glue. */
export const engineSchema = z.object({ name: z.enum(['lambda', 'glue']), reason: z.string(), movable: z.boolean() });
export type Engine = z.infer<typeof engineSchema>;

/** Everything a run does, decided once and written to `_manifests/<run>/plan.json`; every later state reads it from there. */
export const planSchema = z.object({
  run: runRefSchema,
  sourceType: z.enum(['postgres', 'mysql']),
  /** Where the table stands at the source, and which one it is there, if the source can tell. */
  relation: z.object({ schema: z.string(), table: z.string(), oid: z.int().optional() }),
  mode: modeSchema,
  loader: z.enum(['pipe', 'copy']),
  columns: z.array(columnSchema).min(1),
  /** Target names of the primary key's columns, empty when there is none (full mode only). */
  primaryKey: z.array(z.string()),
  rowFilter: z.string().nullable(),
  /** Incremental: the source's column and the inclusive lower bound of this run. */
  cursor: z
    .object({
      column: z.string(),
      from: z.string().nullable(),
      onNull: z.enum(['error', 'include', 'exclude']),
      comparison: z.enum(['bytes', 'xid']).optional(),
    })
    .nullable(),
  chunks: z.array(chunkSchema).min(1).max(1000),
  /** Not there: Lambda. */
  engine: engineSchema.optional(),
  /** Folder of the data files, e.g. `PostgreSQL/clr/orders/2025-11-05/12/`. */
  prefix: z.string(),
  /** `_FIRN_ORDER` of every row of the run. */
  order: z.string(),
  /** Version of the table's state when the plan was made: the run may commit only on top of it. */
  baseVersion: z.int().min(0),
  configVersion: z.int(),
  watermarkBefore: watermarkSchema.nullable(),
  /** Committed when the run succeeds. Null in full mode without a cursor column. */
  watermarkAfter: watermarkSchema.nullable(),
  heldBack: heldBackSchema.nullish(),
  deletes: z.object({
    /** True where absence from this run's rows, or from its keys, proves absence at the source: all were read from one snapshot. */
    detect: z.boolean(),
    /** The run reads the keys of all rows too, in the snapshot of its rows. */
    keys: z.boolean().optional(),
    how: z.enum(['hard', 'soft']),
    maxFraction: z.number().min(0).max(1),
  }),
  /** The key is another one than in the last run: the run's rows replace all of staging. */
  replaces: z.boolean().optional(),
  /** Added by PREPARE_TABLE: columns of staging that are no longer read, and whether they become NULL in the rows that the run writes. */
  retired: z.object({ columns: z.array(z.string()), cleared: z.boolean() }).optional(),
  target: z.object({
    rawSchema: z.string(),
    rawTable: z.string(),
    stagingSchema: z.string(),
    stagingTable: z.string(),
    warehouse: z.string().nullable(),
  }),
  /** What a run that changed rows sets off. Not there: build_gold. */
  afterRun: z.enum(['build_gold', 'dbt', 'none']).optional(),
  warnings: z.array(z.string()),
  plannedAt: z.iso.datetime(),
});
export type Plan = z.infer<typeof planSchema>;
