import type { Plan } from '../../core/plan/plan.js';
import { forgetGoneRows } from '../../core/warehouse/merge.js';
import { stagingTable } from '../../core/warehouse/merge-plan.js';
import { createKeyTable } from '../../core/warehouse/work-table.js';
import { fillWorkTable, type MergeCounts, mergeRun } from './merge-run.js';
import { greatestFence, insertResult, mergedRuns } from './runs.js';
import { fail, inTransaction, query, type Snowflake } from './session.js';
import { token, withKeyTable, withWorkTable } from './work-table.js';

const readsEverything = (plan: Plan): boolean => plan.mode === 'full' || plan.cursor?.from == null;

/**
 * CALL FIRN.PROCESS_TABLE(source, database, table): merges the files of the merged runs again, from the latest that read the whole
 * table on. Older runs stay out, and so do rows that the latest run which read all keys did not find: they may have been deleted since.
 * Deletes nothing itself.
 */
export function main(snowflake: Snowflake, source: string, database: string, table: string): MergeCounts {
  const ref = { source, database, table };
  const merged = mergedRuns(snowflake, ref);
  const latest = merged[merged.length - 1];
  if (!latest) fail('RunNotFound', `no run of ${source} ${database}.${table} has been merged yet`);
  const runs = merged.slice(Math.max(0, merged.map(readsEverything).lastIndexOf(true)));
  const runIds = runs.map(({ run }) => run.runId);
  const keyRun = runs.filter(({ deletes }) => deletes.keys).pop();
  // Columns that the source no longer has keep what they hold: the rows are no newer than they were.
  const plan: Plan = { ...latest, replaces: false, retired: undefined, deletes: { ...latest.deletes, detect: false, maxFraction: 1 } };

  return withWorkTable(snowflake, `AGAIN_${latest.run.runId}`, (work, name) => {
    const loaded = fillWorkTable(snowflake, plan, work, runIds);
    if (keyRun) {
      // As of that run; by the latest plan's key, which they share: a run with another key replaces all rows.
      const asOf = { ...plan, order: keyRun.order };
      withKeyTable(snowflake, name, (keyTable) => {
        query(snowflake, createKeyTable(asOf, keyTable, null, keyRun.run.runId));
        query(snowflake, forgetGoneRows(asOf, keyTable, work));
      });
    }
    return inTransaction(snowflake, () => {
      const counts = mergeRun(snowflake, plan, { work, loaded, seen: work });
      const now = mergedRuns(snowflake, ref);
      if (now.length !== merged.length) fail('Superseded', `a run of ${source} ${database}.${table} was merged meanwhile: call again`);
      const fence = greatestFence(snowflake, ref);
      const row = { run_id: `again-${token()}`, source, database, table_name: table, staging: stagingTable(plan), fence, ...counts };
      insertResult(snowflake, row, null);
      return counts;
    });
  });
}
