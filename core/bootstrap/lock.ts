import { FirnError } from '../errors.js';
import type { Row, Warehouse } from '../warehouse/snowflake.js';

/** No function lives longer than this, so a lock that is older has no owner. */
const lifetimeMinutes = 15;
const attempts = 60;

/**
 * Does the work while nobody else deploys into this database. Needs schema FIRN.
 * @param pause waits a few seconds
 * @throws FirnError ConfigConflict when another deployment does not end
 */
export async function withLock<T>(warehouse: Warehouse, owner: string, pause: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  await warehouse.query('CREATE TABLE IF NOT EXISTS FIRN.DEPLOYMENT_LOCK (owner VARCHAR, taken_at TIMESTAMP_NTZ(6))');
  await warehouse.query('INSERT INTO FIRN.DEPLOYMENT_LOCK SELECT NULL, NULL WHERE NOT EXISTS (SELECT 1 FROM FIRN.DEPLOYMENT_LOCK)');
  for (let attempt = 1; !(await take(warehouse, owner)); attempt++) {
    if (attempt === attempts) throw new FirnError('ConfigConflict', 'Another deployment into this Snowflake database has not ended.');
    await pause();
  }
  try {
    return await work();
  } finally {
    await warehouse.query('UPDATE FIRN.DEPLOYMENT_LOCK SET owner = NULL, taken_at = NULL WHERE owner = ?', [owner]);
  }
}

async function take(warehouse: Warehouse, owner: string): Promise<boolean> {
  const rows = await warehouse.query(
    `UPDATE FIRN.DEPLOYMENT_LOCK SET owner = ?, taken_at = SYSDATE()
WHERE owner IS NULL OR owner = ? OR taken_at < DATEADD('minute', -${lifetimeMinutes}, SYSDATE())`,
    [owner, owner],
  );
  return affected(rows) > 0;
}

/** The first column of what an UPDATE answers: number of rows updated. */
const affected = ([row]: Row[]): number => Number(Object.values(row ?? {})[0] ?? 0);
