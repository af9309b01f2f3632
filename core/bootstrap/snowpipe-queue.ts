import { FirnError } from '../errors.js';
import type { Warehouse } from '../warehouse/snowflake.js';

/**
 * ARN of the queue in Snowflake's account that wakes up the pipes of this bucket. All pipes on one bucket share it, but only a pipe
 * tells it: so there is one that never loads anything.
 */
export async function snowpipeQueue(warehouse: Warehouse): Promise<string> {
  await warehouse.query('CREATE TABLE IF NOT EXISTS FIRN.CANARY (content VARIANT)');
  await warehouse.query(`CREATE PIPE IF NOT EXISTS FIRN.CANARY_PIPE AUTO_INGEST = TRUE AS
COPY INTO FIRN.CANARY FROM @FIRN.RAW_STAGE/_canary/ FILE_FORMAT = (FORMAT_NAME = 'FIRN.PARQUET_FORMAT')
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE`);
  const rows = await warehouse.query("SHOW PIPES LIKE 'CANARY_PIPE' IN SCHEMA FIRN");
  const queue = rows.find(({ name }) => name === 'CANARY_PIPE')?.notification_channel;
  if (typeof queue !== 'string' || !queue.startsWith('arn:')) {
    throw new FirnError('WarehouseStatementFailed', 'SHOW PIPES shows no notification channel for FIRN.CANARY_PIPE');
  }
  return queue;
}
