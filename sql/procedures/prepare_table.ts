import { placedPlan } from '../../core/plan/placed-plan.js';
import type { Plan } from '../../core/plan/plan.js';
import {
  createCommittedView,
  createPipe,
  createRawTable,
  createStagingTable,
  dropPipe,
  type Evolution,
  evolveTable,
  rawDefinitions,
  stagingDefinitions,
} from '../../core/warehouse/ddl.js';
import { evolutionNotes, isAnotherKey, placeColumns, retiredColumns } from '../../core/warehouse/evolution.js';
import { committedView, pipeName, qualifiedName, quoteIdentifier } from '../../core/warehouse/identifiers.js';
import { greatestOrder } from '../../core/warehouse/merge.js';
import { stagingTable } from '../../core/warehouse/merge-plan.js';
import { columnsOf } from './columns.js';
import { formerOwner, isFencedOff, lastMergedPlan } from './runs.js';
import { fail, query, type Snowflake } from './session.js';

interface Prepared {
  raw: string;
  staging: string;
  pipe: string | null;
  created: boolean;
  /** What this call did to the two tables. */
  changes: string[];
  /** Columns that stand under another name than the planned one: planned → name in the files, in raw and in staging. */
  targets: Record<string, string>;
  /** What is otherwise than in the run that was merged last, in sentences. */
  notes: string[];
}

/**
 * CALL FIRN.PREPARE_TABLE(plan, fence): creates or evolves raw, staging, view and pipe of a table, then records the event PREPARED with the
 * plan, its columns under the names that they have here. Each statement may run twice, or beside another call of the same plan.
 */
export function main(snowflake: Snowflake, planJson: string, fence: number): Prepared {
  const planned: Plan = JSON.parse(planJson);
  const { rawSchema, rawTable, stagingSchema, stagingTable } = planned.target;
  const { source, database, table } = planned.run;
  const label = `${source} ${database}.${table}`;
  if (isFencedOff(snowflake, planned.run, fence)) fail('Superseded', `${label}: a newer run has claimed the table`);

  for (const schema of [rawSchema, stagingSchema]) create(snowflake, `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`);
  const raw = columnsOf(snowflake, rawSchema, rawTable);
  const staging = columnsOf(snowflake, stagingSchema, stagingTable);
  // Dropped or renamed since: with the changes alone it would be a table that lacks most of its rows.
  if (staging.length === 0 && planned.cursor && planned.cursor.from !== null) {
    fail(
      'StagingMissing',
      `${label}: ${qualifiedName(stagingSchema, stagingTable)} is gone, and this run reads only what has changed since the last one`,
    );
  }
  if (staging.length > 0) refuseForeignRows(snowflake, planned, label);
  const before = lastMergedPlan(snowflake, planned.run);
  const targets = placeColumns(planned, raw, staging, before);
  const plan = placedPlan(planned, targets);
  if (before) {
    refuseUnfilled(plan, before, label);
    if (isAnotherKey(before, plan)) replaceRows(plan, before, label);
    plan.retired = retiredColumns(before, plan, staging);
  }

  const changes: string[] = [];
  const evolutions: Evolution[] = [];
  if (raw.length === 0) create(snowflake, createRawTable(plan));
  else evolutions.push(evolveTable(rawSchema, rawTable, raw, rawDefinitions(plan)));
  if (staging.length === 0) create(snowflake, createStagingTable(plan));
  else evolutions.push(evolveTable(stagingSchema, stagingTable, staging, stagingDefinitions(plan)));

  for (const evolution of evolutions) {
    for (const statement of evolution.statements) query(snowflake, statement);
    changes.push(...evolution.changes);
  }
  // A view keeps the columns that its table had when it was made.
  const view = committedView(rawTable);
  if (changes.length > 0 || columnsOf(snowflake, rawSchema, view).length === 0) query(snowflake, createCommittedView(plan));
  if (plan.loader === 'pipe') create(snowflake, createPipe(plan));
  else query(snowflake, dropPipe(plan));

  query(
    snowflake,
    `INSERT INTO FIRN.RUN_EVENTS (run_id, source, database, table_name, event, fence, at, detail)
SELECT ?, ?, ?, ?, 'PREPARED', ?, SYSDATE(), OBJECT_CONSTRUCT('plan', PARSE_JSON(?))
WHERE NOT EXISTS (SELECT 1 FROM FIRN.RUN_EVENTS WHERE run_id = ? AND event = 'PREPARED' AND fence = ?)`,
    [plan.run.runId, source, database, table, fence, JSON.stringify(plan), plan.run.runId, fence],
  );
  return {
    raw: qualifiedName(rawSchema, rawTable),
    staging: qualifiedName(stagingSchema, stagingTable),
    pipe: plan.loader === 'pipe' ? qualifiedName(rawSchema, pipeName(rawTable)) : null,
    created: raw.length === 0 || staging.length === 0,
    changes,
    targets,
    notes: before ? evolutionNotes(before, planned, plan) : [],
  };
}

/** A table that was configured by another name has counted its runs by itself: its rows would stay, as if they were newer than those of this one. */
function refuseForeignRows(snowflake: Snowflake, plan: Plan, label: string): void {
  const former = formerOwner(snowflake, plan);
  if (former === null) return;
  const [newest] = query(snowflake, greatestOrder(plan));
  if (newest?.ROW_ORDER == null || String(newest.ROW_ORDER) <= plan.order) return;
  fail(
    'ConfigInvalid',
    `${label}: ${stagingTable(plan)} holds rows of ${former.source} ${former.database}.${former.table}, which would count as newer: drop it with the pipe of the same name in raw, or give this table another target`,
  );
}

/**
 * A run that reads only what has changed cannot fill a column of its own. Plan has it read everything where it can tell; it cannot after a
 * run that was merged and never committed, nor of types that fit one after another, but not the column that an earlier one has left.
 */
function refuseUnfilled({ columns, cursor }: Plan, before: Plan, label: string): void {
  const empty = columns.find(({ target }) => !before.columns.some((one) => one.target === target));
  if (cursor === null || cursor.from === null || !empty) return;
  fail(
    'StagingMissing',
    `${label}: column ${empty.name} is to be written to ${empty.target}, which earlier runs have not filled, and this run reads only what has changed since the last one`,
  );
}

/** By another key the rows in staging cannot be found: all of them must be replaced, which only a run can that has read the whole table at once. */
function replaceRows(plan: Plan, before: Plan, label: string): void {
  if (plan.mode === 'full' && plan.chunks.length === 1) plan.replaces = true;
  else {
    const keys = `(${before.primaryKey.join(', ')}) and is now (${plan.primaryKey.join(', ')})`;
    fail('PrimaryKeyChanged', `${label}: the key of staging was ${keys}: this run could not tell which rows it replaces`);
  }
}

/** CREATE … IF NOT EXISTS, which two sessions at once can bring to fail on each other. */
function create(snowflake: Snowflake, statement: string): void {
  try {
    query(snowflake, statement);
  } catch (error) {
    if (!/already exists/i.test(String((error as Error).message))) throw error;
  }
}
