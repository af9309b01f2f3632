import type { Plan } from '../../core/plan/plan.js';
import { stagingTable } from '../../core/warehouse/merge.js';
import { fillWorkTable, type MergeCounts, mergeRun } from './merge-run.js';
import { greatestFence, insertResult, mergedRuns } from './runs.js';
import { fail, inTransaction, type Snowflake } from './session.js';
import { token, withWorkTable } from './work-table.js';

const readsEverything = (plan: Plan): boolean => plan.mode === 'full' || plan.cursor?.from == null;

/**
 * CALL FIRN.PROCESS_TABLE(source, database, table): merges the files of the merged runs again, from the latest that read the whole
 * table on. Older runs stay out: their rows may have been deleted since. Deletes nothing itself.
 */
export function main(snowflake: Snowflake, source: string, database: string, table: string): MergeCounts {
  const ref = { source, database, table };
  const runs = mergedRuns(snowflake, ref);
  const latest = runs[runs.length - 1];
  if (!latest) fail('RunNotFound', `no run of ${source} ${database}.${table} has been merged yet`);
  const start = runs.map(readsEverything).lastIndexOf(true);
  const runIds = runs.slice(Math.max(0, start)).map(({ run }) => run.runId);
  const plan: Plan = { ...latest, replaces: false, deletes: { ...latest.deletes, detect: false, maxFraction: 1 } };

  return withWorkTable(snowflake, `AGAIN_${latest.run.runId}`, (work) => {
    fillWorkTable(snowflake, plan, work, runIds);
    return inTransaction(snowflake, () => {
      const counts = mergeRun(snowflake, plan, work);
      const now = mergedRuns(snowflake, ref);
      if (now.length !== runs.length) fail('Superseded', `a run of ${source} ${database}.${table} was merged meanwhile: call again`);
      const fence = greatestFence(snowflake, ref);
      const row = { run_id: `again-${token()}`, source, database, table_name: table, staging: stagingTable(plan), fence, ...counts };
      insertResult(snowflake, row);
      return counts;
    });
  });
}
