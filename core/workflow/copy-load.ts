import { failpoint } from '../failpoints.js';
import type { DataFile } from '../plan/manifest.js';
import type { Plan } from '../plan/plan.js';
import { forgetQuery, readRun, rememberQuery } from '../state/runs.js';
import { includeMetadata } from '../warehouse/ddl.js';
import { quoteLiteral } from '../warehouse/identifiers.js';
import { loadRejected, readCopyError } from './load-rejection.js';
import { rawTableName } from './loaded-files.js';
import type { WarehouseStep } from './warehouse-step.js';

/** The loader `copy`: one COPY INTO per thousand files, submitted once and polled. */

/** Snowflake takes no more in FILES. */
const filesPerCopy = 1000;

/** The statements that load the files. File names cannot be bound. */
export function copyStatements(plan: Plan, files: DataFile[]): string[] {
  const batches = Array.from({ length: Math.ceil(files.length / filesPerCopy) }, (_, batch) =>
    files.slice(batch * filesPerCopy, (batch + 1) * filesPerCopy),
  );
  return batches.map(
    (batch) => `COPY INTO ${rawTableName(plan)}
FROM @FIRN.RAW_STAGE
FILES = (${batch.map(({ key }) => quoteLiteral(key)).join(', ')})
FILE_FORMAT = (FORMAT_NAME = 'FIRN.PARQUET_FORMAT')
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
${includeMetadata}
ON_ERROR = ABORT_STATEMENT`,
  );
}

/**
 * One poll. True when every statement has succeeded. A statement that failed is forgotten before its error is thrown,
 * so that a redrive submits it again.
 * @throws FirnError LoadRejected with file, row and column
 */
export async function copyFiles({ run, plan, state, warehouse, log }: WarehouseStep, files: DataFile[]): Promise<boolean> {
  const known = (await readRun(state, run.runId))?.queryIds ?? {};
  for (const [batch, statement] of copyStatements(plan, files).entries()) {
    const purpose = `copy-${batch}`;
    const queryId = known[purpose] ?? (await rememberQuery(state, run.runId, purpose, await warehouse.submit(statement)));
    if (!known[purpose]) log.info({ query_id: queryId, batch }, 'submitted');
    await failpoint('load_submitted');
    const status = await warehouse.status(queryId);
    if (status === 'RUNNING') return false;
    if (status === 'SUCCEEDED') continue;
    await forgetQuery(state, run.runId, purpose, queryId);
    throw status.failed.code === 'WarehouseStatementFailed'
      ? loadRejected(plan, readCopyError(status.failed.message), status.failed)
      : status.failed;
  }
  return true;
}
