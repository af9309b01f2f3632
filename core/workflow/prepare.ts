import { failpoint } from '../failpoints.js';
import type { WarehouseStep } from './warehouse-step.js';

/** Prepare: raw, staging and pipe are there and can take the plan's columns. @throws FirnError Superseded, and what the procedure throws */
export async function prepare({ plan, fence, warehouse, log }: WarehouseStep): Promise<object> {
  const [row] = await warehouse.query('CALL FIRN.PREPARE_TABLE(?, ?)', [JSON.stringify(plan), fence]);
  await failpoint('prepared');
  log.info({ prepared: Object.values(row ?? {})[0] }, 'prepared');
  return {};
}
