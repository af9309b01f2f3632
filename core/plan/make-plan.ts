import { queryOrder } from '../column.js';
import type { TableConfig } from '../config/schema.js';
import { targetOf } from '../config/targets.js';
import { FirnError } from '../errors.js';
import { dataPrefix } from '../raw-bucket/layout.js';
import type { DescribedTable, Estimate, SourceSession } from '../source/source.js';
import { defaultChunkBytes, wantedChunks, wholeTable } from './chunks.js';
import { chooseEngine } from './engine.js';
import type { Chunk, Mode, Plan, RunRef, Watermark } from './plan.js';
import { planCursor } from './plan-cursor.js';
import { formerKey, type ReadBefore, renames, whyReadAgain } from './what-changed.js';

/** What is known of a table before its source is asked. */
export interface TableToPlan {
  run: RunRef;
  /** Null: as configured. */
  mode: Mode | null;
  config: TableConfig;
  configVersion: number;
  sourceType: Plan['sourceType'];
  /** The claim's run number. */
  fence: number;
  /** Version of the table's state. */
  baseVersion: number;
  watermark: Watermark | null;
  /** Watermarks that the cursor rule may still need, oldest first; the last one is `watermark`. */
  checkpoints: Watermark[];
  /** Plan of the run that committed last; null: there is none. */
  last: Plan | 'unreadable' | null;
  /** Above it a table is read in several chunks. Default: 2 GB. */
  chunkBytes?: number;
  /** Rows per second that a Lambda read of this table in its last long run; null: not measured. */
  rowsPerSecond?: number | null;
  /** Why there is no Glue for this table, if so. */
  withoutGlue?: string | null;
}

export interface PlannedRun {
  plan: Plan;
  estimate: Estimate;
}

/** Where the table stands: as declared, else its key split at the first dot. */
export function relationOf(config: Pick<TableConfig, 'table' | 'relation'>, defaultSchema = 'public'): Plan['relation'] {
  if (config.relation) return config.relation;
  const dot = config.table.indexOf('.');
  return dot < 0
    ? { schema: defaultSchema, table: config.table }
    : { schema: config.table.slice(0, dot), table: config.table.slice(dot + 1) };
}

/**
 * Decides everything that a run does. The table's rows are not read yet.
 * @throws FirnError PrimaryKeyMissing, PrimaryKeyChanged, ConfigInvalid, and what planCursor throws
 */
export async function makePlan(session: SourceSession, table: TableToPlan, described: DescribedTable, at: Date): Promise<PlannedRun> {
  const { run, config } = table;
  const mode = table.mode ?? config.mode;
  const relation = { ...relationOf(config, session.defaultSchema), ...(described.oid !== undefined && { oid: described.oid }) };
  const primaryKey = targetKey(relation, config, described, mode);

  const observed = config.mode === 'incremental' || mode === 'incremental';
  const cursorPlan = observed ? await planCursor(session, relation, config, mode, table.checkpoints) : null;
  const warnings = [...(cursorPlan?.warnings ?? [])];
  const target = targetOf(run.database, config);
  const now = { relation, columns: described.columns, rowFilter: config.row_filter ?? null, primaryKey, target };
  const last = table.last === 'unreadable' ? null : table.last;
  const replaces = last !== null && replacesAll(last, now, mode, warnings);
  if (last !== null) warnings.push(...renames(last, now));

  const read = { ...now, cursor: cursorPlan?.cursor ?? null };
  const readAgain = read.cursor?.from ? whyEverything(table.last, now) : null;
  if (readAgain !== null && read.cursor) {
    read.cursor = { ...read.cursor, from: null };
    warnings.push(`Everything is read again, because ${readAgain}.`);
  }
  const estimate = await session.estimateRead(read);
  const chunkBytes = table.chunkBytes ?? defaultChunkBytes;
  const wanted = replaces ? 1 : wantedChunks(estimate.bytes, chunkBytes);
  const chunks = await chunksOf(session, relation, config, described, estimate, wanted, warnings);
  const byKeys = mode === 'incremental' && config.delete_detection === 'keys';
  const detect = (mode === 'full' || byKeys) && chunks.length === 1;
  if ((mode === 'full' || byKeys) && !detect) {
    warnings.push(
      `Read in ${chunks.length} chunks, each from a snapshot of its own: rows deleted at the source are not detected by this run.`,
    );
  }

  const plan: Plan = {
    run,
    sourceType: table.sourceType,
    ...read,
    mode,
    loader: config.loader,
    chunks,
    engine: chooseEngine({
      table: run.table,
      engine: config.engine,
      estimate,
      chunks: chunks.length,
      chunkBytes,
      rowsPerSecond: table.rowsPerSecond ?? null,
      withoutGlue: byKeys ? 'delete_detection: keys is read by Lambda alone' : (table.withoutGlue ?? null),
    }),
    prefix: dataPrefix(run, at),
    order: queryOrder(table.fence),
    baseVersion: table.baseVersion,
    configVersion: table.configVersion,
    watermarkBefore: table.watermark,
    watermarkAfter: cursorPlan?.watermarkAfter ?? null,
    heldBack: cursorPlan?.heldBack ?? null,
    deletes: { detect, ...(detect && byKeys && { keys: true }), how: config.deletes, maxFraction: config.max_delete_fraction },
    ...(replaces && { replaces }),
    ...(config.after_run && { afterRun: config.after_run }),
    warnings,
    plannedAt: at.toISOString(),
  };
  return { plan, estimate };
}

function whyEverything(last: TableToPlan['last'], now: ReadBefore): string | null {
  if (last === 'unreadable') return 'the plan of the last run is gone, or is one that this version cannot read';
  const changed = last && whyReadAgain(last, now);
  return changed && `since the last run the table has changed: ${changed}`;
}

/** Whether staging was merged by another key. Then only a full run can go on: by the new key the old rows would not be found, but doubled. */
function replacesAll(last: Plan, now: ReadBefore, mode: Mode, warnings: string[]): boolean {
  const former = formerKey(last, now);
  if (former === null || now.primaryKey.length === 0) return false;
  const change = `The primary key of ${now.relation.schema}.${now.relation.table} was (${former.join(', ')}) and is now (${now.primaryKey.join(', ')})`;
  if (mode === 'incremental')
    throw new FirnError('PrimaryKeyChanged', `${change}: an incremental run could not tell which rows it replaces.`);
  warnings.push(`${change}: the rows of this run replace all rows in staging.`);
  return true;
}

async function chunksOf(
  session: SourceSession,
  relation: Plan['relation'],
  config: TableConfig,
  { primaryKey }: DescribedTable,
  estimate: Estimate,
  wanted: number,
  warnings: string[],
): Promise<Chunk[]> {
  if (wanted === 1) return wholeTable;
  const split = await session.split({ relation, partitionColumn: config.partition_column, primaryKey, estimate, wanted });
  if ('chunks' in split) return split.chunks;
  warnings.push(`Read in one piece although ${wanted} chunks are advisable: ${split.refused}; set partition_column.`);
  return wholeTable;
}

/** Target names of the key. Full mode does without: then each run replaces the table. */
function targetKey({ schema, table }: Plan['relation'], config: TableConfig, described: DescribedTable, mode: Mode): string[] {
  const key = config.primary_key ?? described.primaryKey;
  if (key.length === 0 && (mode === 'incremental' || config.mode === 'incremental')) {
    throw new FirnError(
      'PrimaryKeyMissing',
      `${schema}.${table} has no primary key: an incremental run could not tell which rows it replaces.`,
    );
  }
  return key.map((name) => {
    const column = described.columns.find((one) => one.name === name);
    if (!column) throw new FirnError('PrimaryKeyMissing', `${schema}.${table}: column ${name} of the primary key is missing or excluded.`);
    if (column.mask === 'null') {
      throw new FirnError(
        'ConfigInvalid',
        `${schema}.${table}: columns.mask makes ${name} NULL in all rows, but it is part of the primary key, which tells them apart: mask it by sha256.`,
      );
    }
    // Types of the source that are doubles of their own accord begin so.
    if (column.parquet.kind === 'double' && config.policies?.unbounded_numeric === 'float' && !/^(double|float)/.test(column.sourceType)) {
      throw new FirnError(
        'ConfigInvalid',
        `${schema}.${table}: policies.unbounded_numeric float makes doubles of ${name}, of which two numbers may have the same, but it is part of the primary key, which tells rows apart: choose text or number(p,s).`,
      );
    }
    return column.target;
  });
}
