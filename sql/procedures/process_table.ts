import { stagingTable } from '../../core/warehouse/merge-plan.js';
import { createKeyTable } from '../../core/warehouse/work-table.js';
import { fillWorkTable, mergeRun, refuseRepeatedKeys } from './merge-run.js';
import { insertResult, isFencedOff, isOutrun, planOf, recordFence, resultOf } from './runs.js';
import { inTransaction, query, type Row, type Snowflake } from './session.js';
import { withKeyTable, withWorkTable } from './work-table.js';

const superseded = { superseded: true };

/** Thrown to roll back when, with staging locked, another call turns out to have been first. */
class Overtaken extends Error {
  constructor(readonly answer: Row) {
    super('overtaken');
  }
}

/**
 * CALL FIRN.PROCESS_TABLE(run_id, fence): MERGE, deletes and RUN_RESULTS in one transaction. Answers the RUN_RESULTS row, also to a second
 * call; `{superseded: true}` when a greater fence exists, or when newer rows were merged.
 *
 * All is checked again after the MERGE: only then staging is locked. Whoever claims the table later than that merges after us. The fence is
 * written down first, because a redrive comes here without Prepare: a call with a lesser one then changes nothing any more.
 */
export function main(snowflake: Snowflake, runId: string, fence: number): Row {
  const plan = planOf(snowflake, runId);
  const stored = resultOf(snowflake, runId);
  if (stored) return stored;
  if (isFencedOff(snowflake, plan.run, fence) || isOutrun(snowflake, plan)) return superseded;
  recordFence(snowflake, runId, fence);

  return withWorkTable(snowflake, runId, (work, name) => {
    const loaded = fillWorkTable(snowflake, plan, work, [runId]);
    refuseRepeatedKeys(snowflake, plan, work, loaded);
    const merge = (seen: string) =>
      inTransaction(snowflake, () => {
        const counts = mergeRun(snowflake, plan, { work, loaded, seen });
        const first = resultOf(snowflake, runId);
        if (first) throw new Overtaken(first);
        if (isFencedOff(snowflake, plan.run, fence) || isOutrun(snowflake, plan)) throw new Overtaken(superseded);
        const { source, database, table } = plan.run;
        const row = { run_id: runId, source, database, table_name: table, staging: stagingTable(plan), fence, ...counts };
        insertResult(snowflake, row, plan.order);
        return row;
      });
    try {
      if (!plan.deletes.keys) return merge(work);
      return withKeyTable(snowflake, name, (keyTable) => {
        query(snowflake, createKeyTable(plan, keyTable, work, runId));
        return merge(keyTable);
      });
    } catch (error) {
      if (error instanceof Overtaken) return error.answer;
      throw error;
    }
  });
}
