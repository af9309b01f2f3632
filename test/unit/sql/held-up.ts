import { qualifiedName, quoteIdentifier } from '../../../core/warehouse/identifiers.js';
import type { MergePlan } from '../../../core/warehouse/merge-plan.js';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import type { LocalSnowflake } from './local-snowflake.js';

export const workTables = async (warehouse: Warehouse): Promise<number> =>
  (
    await warehouse.query(
      `SELECT table_name AS NAME FROM INFORMATION_SCHEMA.TABLES WHERE table_schema = 'FIRN' AND STARTSWITH(table_name, 'W_')`,
    )
  ).length;

/** Until so many calls have filled their work tables: they have passed the checks which come before the transaction. */
export async function awaitWorkTables(warehouse: Warehouse, count: number): Promise<void> {
  while ((await workTables(warehouse)) < count) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Has a call wait inside its transaction, for the lock on staging, while `meanwhile` happens; then answers what it answered. */
export async function heldUp<T>(
  snowflake: LocalSnowflake,
  plan: MergePlan,
  call: (session: Warehouse) => Promise<T>,
  meanwhile: () => Promise<unknown>,
): Promise<T> {
  const [locker, caller] = await Promise.all([snowflake.connect(), snowflake.connect()]);
  const { stagingSchema, stagingTable } = plan.target;
  const run = quoteIdentifier('_FIRN_RUN');
  await locker.query('BEGIN');
  await locker.query(`UPDATE ${qualifiedName(stagingSchema, stagingTable)} SET ${run} = ${run}`);
  const answer = call(caller);
  await awaitWorkTables(snowflake.warehouse, 1);
  await meanwhile();
  await locker.query('COMMIT');
  const outcome = await answer;
  await Promise.all([locker.close(), caller.close()]);
  return outcome;
}
