import type { PlannedRun } from './make-plan.js';
import type { HeldBack, Mode, Watermark } from './plan.js';

/** What `ingest_plan` shows: what a run would do, and nothing written. */
export interface Explanation {
  source: string;
  database: string;
  table: string;
  mode: Mode;
  cursor: { column: string; from: string | null } | null;
  /** Why the next lower bound stays behind: the oldest open or prepared transaction. */
  held_back_by: HeldBack | null;
  watermark_before: string | null;
  watermark_after: string | null;
  primary_key: string[];
  columns: { name: string; target: string; source_type: string; raw: string; staging: string; nullable: boolean }[];
  chunks: number;
  engine: 'lambda' | 'glue';
  engine_reason: string;
  partition_column: string | null;
  estimated_rows: number;
  estimated_bytes: number;
  loader: string;
  deletes: 'hard' | 'soft' | 'not detected';
  target: { raw: string; staging: string };
  prefix: string;
  warnings: string[];
}

const bound = (watermark: Watermark | null): string | null => watermark?.lowerBound ?? null;

export function explainPlan({ plan, estimate }: PlannedRun): Explanation {
  const { source, database, table } = plan.run;
  return {
    source,
    database,
    table,
    mode: plan.mode,
    cursor: plan.cursor && { column: plan.cursor.column, from: plan.cursor.from },
    held_back_by: plan.heldBack ?? null,
    watermark_before: bound(plan.watermarkBefore),
    watermark_after: bound(plan.watermarkAfter),
    primary_key: plan.primaryKey,
    columns: plan.columns.map(({ name, target, sourceType, raw, staging, nullable }) => ({
      name,
      target,
      source_type: sourceType,
      raw,
      staging,
      nullable,
    })),
    chunks: plan.chunks.length,
    engine: plan.engine?.name ?? 'lambda',
    engine_reason: plan.engine?.reason ?? '',
    partition_column: plan.chunks[0]!.column ?? plan.chunks[0]!.key?.columns.join(', ') ?? null,
    estimated_rows: estimate.rows,
    estimated_bytes: estimate.bytes,
    loader: plan.loader,
    deletes: plan.deletes.detect ? plan.deletes.how : 'not detected',
    target: {
      raw: `${plan.target.rawSchema}.${plan.target.rawTable}`,
      staging: `${plan.target.stagingSchema}.${plan.target.stagingTable}`,
    },
    prefix: plan.prefix,
    warnings: plan.warnings,
  };
}
