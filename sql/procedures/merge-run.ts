import type { Plan } from '../../core/plan/plan.js';
import {
  compareWorkTable,
  countGoneRows,
  countStaging,
  createWorkTable,
  deleteGoneRows,
  findUnparsableJson,
  type KeyRange,
  mergeWorkTable,
  replaceRows,
  summariseWorkTable,
} from '../../core/warehouse/merge.js';
import { counts, fail, query, type Snowflake } from './session.js';

export interface MergeCounts {
  rows_loaded: number;
  rows_merged: number;
  rows_inserted: number;
  rows_updated: number;
  rows_unchanged: number;
  rows_superseded: number;
  rows_deleted: number;
}

const label = (plan: Plan): string => `${plan.run.source} ${plan.run.database}.${plan.run.table}`;

/** DDL: stands before the transaction. */
export function fillWorkTable(snowflake: Snowflake, plan: Plan, work: string, runIds: string[]): void {
  try {
    query(snowflake, createWorkTable(plan, work, runIds));
  } catch (error) {
    const search = findUnparsableJson(plan, runIds);
    const [row] = search ? query(snowflake, search) : [];
    if (!row) throw error;
    fail(
      'ValueOutOfRange',
      `${label(plan)}: column ${row.COLUMN_NAME} of the row with key ${row.ROW_KEY} holds JSON that a VARIANT cannot hold (a key twice in one object, a lone surrogate, or more than 16 MB)`,
    );
  }
}

/** Merges the work table into staging. Stands in a transaction. */
export function mergeRun(snowflake: Snowflake, plan: Plan, work: string): MergeCounts {
  const [summary] = query(snowflake, summariseWorkTable(plan, work));
  const loaded = Number(summary?.ROWS_LOADED);
  const kept = Number(summary?.ROWS_KEPT);
  if (plan.primaryKey.length === 0 || plan.replaces) return replaceAll(snowflake, plan, work, loaded, kept);

  const gone = plan.deletes.detect ? countGone(snowflake, plan, work) : 0;
  const range: KeyRange | null = typeof summary?.KEY_MIN === 'string' ? { min: summary.KEY_MIN, max: String(summary.KEY_MAX) } : null;
  const [inserted = 0, updated = 0] = kept > 0 ? counts(snowflake, mergeWorkTable(plan, work, range)) : [];
  let unchanged = 0;
  let newer = 0;
  if (inserted + updated < kept) {
    const [compared] = query(snowflake, compareWorkTable(plan, work, range));
    newer = Number(compared?.ROWS_NEWER);
    unchanged = Number(compared?.ROWS_SAME) - inserted - updated;
  }
  const deleted = gone > 0 ? (counts(snowflake, deleteGoneRows(plan, work, plan.run.runId))[0] ?? 0) : 0;

  if (inserted + updated + unchanged + newer !== kept || unchanged < 0 || deleted !== gone) {
    fail(
      'CountMismatch',
      `${label(plan)}: of ${kept} keys ${inserted} were inserted, ${updated} updated, ${unchanged} unchanged, ${newer} superseded; ${deleted} of ${gone} rows deleted`,
    );
  }
  return {
    rows_loaded: loaded,
    rows_merged: loaded,
    rows_inserted: inserted,
    rows_updated: updated,
    rows_unchanged: unchanged,
    rows_superseded: newer + loaded - kept,
    rows_deleted: deleted,
  };
}

function refuseLoss(plan: Plan, lost: number, before: number): void {
  if (lost === 0 || lost <= plan.deletes.maxFraction * before) return;
  fail(
    'DeleteFractionExceeded',
    `${label(plan)}: ${lost} of ${before} rows are gone at the source, more than max_delete_fraction ${plan.deletes.maxFraction} allows`,
  );
}

function countGone(snowflake: Snowflake, plan: Plan, work: string): number {
  const [row] = query(snowflake, countGoneRows(plan, work));
  const gone = Number(row?.ROWS_GONE);
  refuseLoss(plan, gone, Number(row?.ROWS_BEFORE));
  return gone;
}

function replaceAll(snowflake: Snowflake, plan: Plan, work: string, loaded: number, kept: number): MergeCounts {
  const before = Number(query(snowflake, countStaging(plan))[0]?.ROWS_BEFORE);
  refuseLoss(plan, Math.max(0, before - kept), before);
  for (const statement of replaceRows(plan, work)) query(snowflake, statement);
  return {
    rows_loaded: loaded,
    rows_merged: loaded,
    rows_inserted: kept,
    rows_updated: 0,
    rows_unchanged: 0,
    rows_superseded: loaded - kept,
    rows_deleted: before,
  };
}
