import type { Plan } from '../../core/plan/plan.js';
import { findInexactJson, findUnparsableJson } from '../../core/warehouse/json-values.js';
import { keyRanges, summariseWorkTable } from '../../core/warehouse/key-range.js';
import { compareWorkTable, countGoneRows, countStaging, deleteGoneRows, mergeWorkTable, replaceRows } from '../../core/warehouse/merge.js';
import { checkLoadedFiles, createWorkTable, findRepeatedKey } from '../../core/warehouse/work-table.js';
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

/**
 * The runs' rows in a work table. DDL: stands before the transaction. Answers how many rows their files hold, all of which were in raw
 * before the work table was filled; whatever raw gets in addition are rows that it has already.
 */
export function fillWorkTable(snowflake: Snowflake, plan: Plan, work: string, runIds: string[]): number {
  const [checked] = query(snowflake, checkLoadedFiles(plan, runIds));
  if (checked?.WRONG) fail('CountMismatch', `${label(plan)}: ${checked.WRONG}`);
  refuseJson(snowflake, plan, findInexactJson(plan, runIds), 'a number that is beyond 38 digits, or beyond a double');
  try {
    query(snowflake, createWorkTable(plan, work, runIds));
  } catch (error) {
    refuseJson(snowflake, plan, findUnparsableJson(plan, runIds), 'a key twice in one object, a lone surrogate, or too much of it');
    throw error;
  }
  return Number(checked?.ROWS_LOADED);
}

function refuseJson(snowflake: Snowflake, plan: Plan, search: string | null, what: string): void {
  const [row] = search ? query(snowflake, search) : [];
  if (!row) return;
  fail(
    'ValueOutOfRange',
    `${label(plan)}: column ${row.COLUMN_NAME} of the row with key ${row.ROW_KEY} holds JSON that a VARIANT cannot hold: ${what} (policy json)`,
  );
}

/** Refuses a declared key that several rows of the source share: all but one of them would be lost. */
export function refuseRepeatedKeys(snowflake: Snowflake, plan: Plan, work: string, loaded: number): void {
  if (plan.primaryKey.length === 0 || !eachKeyInOneSnapshot(plan)) return;
  const kept = Number(query(snowflake, summariseWorkTable(plan, work))[0]?.ROWS_KEPT);
  const [repeated] = kept === loaded ? [] : query(snowflake, findRepeatedKey(plan, plan.run.runId));
  if (!repeated) return;
  fail(
    'PrimaryKeyNotUnique',
    `${label(plan)}: ${loaded} rows have ${kept} different keys (${plan.primaryKey.join(', ')}); some share the key ${repeated.ROW_KEY}, and all but one of them would be lost`,
  );
}

/** A row that moves from one chunk to another between their snapshots is read twice; not where the chunks are ranges of the key. */
function eachKeyInOneSnapshot({ chunks, columns, primaryKey }: Plan): boolean {
  const keys = columns.filter(({ target }) => primaryKey.includes(target)).map(({ name }) => name);
  return chunks.every(({ column, key }) => (key?.columns ?? (column === null ? [] : [column])).every((name) => keys.includes(name)));
}

/** A work table to be merged, the rows of its files, and where to look for the keys that the source still has. */
export interface Filled {
  work: string;
  loaded: number;
  /** The work table itself, or a table of keys. */
  seen: string;
}

/** Merges the work table into staging. Stands in a transaction. */
export function mergeRun(snowflake: Snowflake, plan: Plan, { work, loaded, seen }: Filled): MergeCounts {
  const [summary] = query(snowflake, summariseWorkTable(plan, work));
  const kept = Number(summary?.ROWS_KEPT);
  if (plan.primaryKey.length === 0 || plan.replaces) return replaceAll(snowflake, plan, work, loaded, kept);

  const gone = plan.deletes.detect ? countGone(snowflake, plan, seen) : 0;
  const ranges = keyRanges(plan, summary ?? {});
  const [inserted = 0, updated = 0] = kept > 0 ? counts(snowflake, mergeWorkTable(plan, work, ranges)) : [];
  let unchanged = 0;
  let newer = 0;
  if (inserted + updated < kept) {
    const [compared] = query(snowflake, compareWorkTable(plan, work, ranges));
    newer = Number(compared?.ROWS_NEWER);
    unchanged = Number(compared?.ROWS_SAME) - inserted - updated;
  }
  const deleted = gone > 0 ? (counts(snowflake, deleteGoneRows(plan, seen, plan.run.runId))[0] ?? 0) : 0;

  if (inserted + updated + unchanged + newer !== kept || kept > loaded || unchanged < 0 || deleted !== gone) {
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

function countGone(snowflake: Snowflake, plan: Plan, seen: string): number {
  const [row] = query(snowflake, countGoneRows(plan, seen));
  const gone = Number(row?.ROWS_GONE);
  refuseLoss(plan, gone, Number(row?.ROWS_BEFORE));
  return gone;
}

function replaceAll(snowflake: Snowflake, plan: Plan, work: string, loaded: number, kept: number): MergeCounts {
  // Without a key nothing else would notice a row too many.
  if (plan.primaryKey.length === 0 && kept !== loaded) {
    fail('CountMismatch', `${label(plan)}: ${kept} rows were to be merged of files that hold ${loaded}`);
  }
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
