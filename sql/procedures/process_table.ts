import { stagingTable } from '../../core/warehouse/merge.js';
import { fillWorkTable, mergeRun } from './merge-run.js';
import { insertResult, isFencedOff, planOf, resultOf } from './runs.js';
import { inTransaction, type Row, type Snowflake } from './session.js';
import { withWorkTable } from './work-table.js';

const superseded = { superseded: true };

/** Thrown to roll back when, with staging locked, another call turns out to have been first. */
class Overtaken extends Error {
  constructor(readonly answer: Row) {
    super('overtaken');
  }
}

/**
 * CALL FIRN.PROCESS_TABLE(run_id, fence): MERGE, deletes and RUN_RESULTS in one transaction. Answers the RUN_RESULTS row, also to a second
 * call; `{superseded: true}` when a greater fence exists.
 *
 * The fence is checked again after the MERGE: only then staging is locked. Whoever claims the table later than that merges after us.
 */
export function main(snowflake: Snowflake, runId: string, fence: number): Row {
  const plan = planOf(snowflake, runId);
  const stored = resultOf(snowflake, runId);
  if (stored) return stored;
  if (isFencedOff(snowflake, plan.run, fence)) return superseded;

  return withWorkTable(snowflake, runId, (work) => {
    fillWorkTable(snowflake, plan, work, [runId]);
    try {
      return inTransaction(snowflake, () => {
        const counts = mergeRun(snowflake, plan, work);
        const first = resultOf(snowflake, runId);
        if (first) throw new Overtaken(first);
        if (isFencedOff(snowflake, plan.run, fence)) throw new Overtaken(superseded);
        const { source, database, table } = plan.run;
        const row = { run_id: runId, source, database, table_name: table, staging: stagingTable(plan), fence, ...counts };
        insertResult(snowflake, row);
        return row;
      });
    } catch (error) {
      if (error instanceof Overtaken) return error.answer;
      throw error;
    }
  });
}
