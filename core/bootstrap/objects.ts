import type { SqlBundle } from '../../sql/bundle.js';
import { deployModels } from '../../sql/gold-model.js';
import { renderSql } from '../../sql/statements.js';
import { asFirnError, FirnError } from '../errors.js';
import type { RunLog } from '../log.js';
import type { Warehouse } from '../warehouse/snowflake.js';
import { deployFunctions } from './external-functions.js';
import { withLock } from './lock.js';
import { migrate } from './migrations.js';
import type { ObjectsProperties } from './properties.js';
import { snowpipeQueue } from './snowpipe-queue.js';

/** A new role is known everywhere within seconds, sometimes minutes. */
const accessAttempts = 36;

/**
 * Everything in Snowflake that needs the roles, the bucket and the API. May run any number of times.
 *
 * @param owner of the lock: the request's id
 * @param pause waits a few seconds
 * @returns ARN of the queue that the bucket has to tell of new files
 */
export async function deployObjects(
  warehouse: Warehouse,
  sql: SqlBundle,
  properties: ObjectsProperties,
  { owner, pause, log }: { owner: string; pause: () => Promise<void>; log: RunLog },
): Promise<string> {
  const values = {
    bucket: properties.Bucket,
    exportsBucket: properties.ExportsBucket,
    rawRetentionDays: properties.RawRetentionDays,
    warehouse: await currentWarehouse(warehouse),
    storageIntegration: properties.StorageIntegration,
    apiIntegration: properties.ApiIntegration,
    apiUrl: properties.ApiUrl,
  };
  for (const statement of sql.history) await warehouse.query(statement);
  await withLock(warehouse, owner, pause, async () => {
    const applied = await migrate(warehouse, sql.migrations);
    log.info({ applied }, 'migrations applied');
    await warehouse.query(renderSql(sql.setup.rawStage, values));
    await warehouse.query(renderSql(sql.setup.exportStage, values));
    await warehouse.query(renderSql(sql.setup.retention, values));
    await warehouse.query(renderSql(sql.setup.apiPrefix, values));
    for (const procedure of sql.procedures) await warehouse.query(procedure.sql);
    const created = await deployFunctions(warehouse, sql.functions, values);
    for (const task of sql.tasks) await warehouse.query(renderSql(task.sql, values));
    for (const { sql: statement, binds } of deployModels(sql.gold)) await warehouse.query(statement, binds);
    log.info({ procedures: sql.procedures.length, functions: created, models: sql.gold.length }, 'objects deployed');
  });
  await awaitAccess(warehouse, properties, pause);
  return snowpipeQueue(warehouse);
}

/** The one of Firn's secret, for the tasks. */
async function currentWarehouse(warehouse: Warehouse): Promise<string> {
  const [row] = await warehouse.query('SELECT CURRENT_WAREHOUSE() AS "warehouse"');
  return String(row?.warehouse);
}

/** Until Snowflake may list the bucket: proof that the integration, the role and its trust fit together. */
async function awaitAccess(
  warehouse: Warehouse,
  { Bucket, StorageIntegration }: ObjectsProperties,
  pause: () => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await warehouse.query('LIST @FIRN.RAW_STAGE/_canary/');
      return;
    } catch (error) {
      if (attempt === accessAttempts) {
        const { message } = asFirnError(error);
        throw new FirnError('WarehousePermissionDenied', `${StorageIntegration} cannot list bucket ${Bucket}: ${message}`, {
          cause: error,
        });
      }
      await pause();
    }
  }
}
