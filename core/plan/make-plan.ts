import type { ClientBase } from 'pg';
import { type Column, queryOrder } from '../column.js';
import type { TableConfig } from '../config/schema.js';
import { targetOf } from '../config/targets.js';
import { FirnError } from '../errors.js';
import { dataPrefix } from '../raw-bucket/layout.js';
import { type Estimate, estimateRead, readRange } from '../source/postgres/estimate.js';
import type { Observation } from '../source/postgres/observe.js';
import { defaultChunkBytes, splitRanges, wantedChunks, wholeTable } from './chunks.js';
import type { Chunk, Mode, Plan, RunRef, Watermark } from './plan.js';
import { planCursor } from './plan-cursor.js';

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
  /** Above it a table is read in several chunks. Default: 2 GB. */
  chunkBytes?: number;
}

/** The table as the source describes it. `primaryKey` holds the source's names. */
export interface DescribedTable {
  columns: Column[];
  primaryKey: string[];
}

export interface PlannedRun {
  plan: Plan;
  estimate: Estimate;
  oldest: Observation['oldest'];
}

/** Where the table stands: as declared, else its key split at the first dot; `public` is the default schema. */
export function relationOf(config: Pick<TableConfig, 'table' | 'relation'>): Plan['relation'] {
  if (config.relation) return config.relation;
  const dot = config.table.indexOf('.');
  return dot < 0 ? { schema: 'public', table: config.table } : { schema: config.table.slice(0, dot), table: config.table.slice(dot + 1) };
}

/**
 * Decides everything that a run does. `client` is a session in autocommit; the table's rows are not read yet.
 * @throws FirnError PrimaryKeyMissing, and what planCursor throws
 */
export async function makePlan(client: ClientBase, table: TableToPlan, described: DescribedTable, now: Date): Promise<PlannedRun> {
  const { run, config } = table;
  const mode = table.mode ?? config.mode;
  const relation = relationOf(config);
  const primaryKey = targetKey(relation, config, described, mode);

  const observed = config.mode === 'incremental' || mode === 'incremental';
  const cursorPlan = observed ? await planCursor(client, relation, config, mode, table.checkpoints) : null;
  const warnings = [...(cursorPlan?.warnings ?? [])];

  const read = { relation, columns: described.columns, rowFilter: config.row_filter ?? null, cursor: cursorPlan?.cursor ?? null };
  const estimate = await estimateRead(client, read);
  const wanted = wantedChunks(estimate.bytes, table.chunkBytes ?? defaultChunkBytes);
  const chunks = await chunksOf(client, relation, config, described, wanted, warnings);
  if (mode === 'full' && chunks.length > 1) {
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
    primaryKey,
    chunks,
    prefix: dataPrefix(run, now),
    order: queryOrder(table.fence),
    baseVersion: table.baseVersion,
    configVersion: table.configVersion,
    watermarkBefore: table.watermark,
    watermarkAfter: cursorPlan?.watermarkAfter ?? null,
    deletes: { detect: mode === 'full' && chunks.length === 1, how: config.deletes, maxFraction: config.max_delete_fraction },
    target: targetOf(run.database, config),
    warnings,
    plannedAt: now.toISOString(),
  };
  return { plan, estimate, oldest: cursorPlan?.oldest ?? null };
}

async function chunksOf(
  client: ClientBase,
  relation: Plan['relation'],
  config: TableConfig,
  described: DescribedTable,
  wanted: number,
  warnings: string[],
): Promise<Chunk[]> {
  if (wanted === 1) return wholeTable;
  const column = config.partition_column ?? (described.primaryKey.length === 1 ? described.primaryKey[0] : undefined);
  const range = column === undefined ? null : await readRange(client, relation, column);
  if (column !== undefined && range !== null) return splitRanges({ column, ...range }, wanted);
  warnings.push(
    `Read in one piece although ${wanted} chunks are advisable: ${column === undefined ? 'it has no single-column primary key' : `${column} is not an integer column`}; set partition_column.`,
  );
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
    return column.target;
  });
}
