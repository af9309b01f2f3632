import { failpoint } from '../failpoints.js';
import { type Prepared, recordPrepared } from '../state/runs.js';
import type { WarehouseStep } from './warehouse-step.js';

/** Of a table whose columns have all changed. All of them are in the log. */
const notesKept = 100;

/**
 * Prepare: raw, staging and pipe are there and can take the plan's columns. Under which names is remembered for Extract, which writes them.
 * @throws FirnError Superseded, PrimaryKeyChanged, StagingMissing, and what the procedure throws
 */
export async function prepare({ run, plan, fence, state, warehouse, log }: WarehouseStep): Promise<object> {
  const [row] = await warehouse.query('CALL FIRN.PREPARE_TABLE(?, ?)', [JSON.stringify(plan), fence]);
  const { targets, notes } = Object.values(row ?? {})[0] as Prepared;
  await recordPrepared(state, run.runId, { targets, notes: notes.slice(0, notesKept) });
  await failpoint('prepared');
  log.info({ prepared: Object.values(row ?? {})[0] }, 'prepared');
  return {};
}
