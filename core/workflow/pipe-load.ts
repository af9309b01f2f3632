import { FirnError } from '../errors.js';
import type { DataFile } from '../plan/manifest.js';
import type { Plan } from '../plan/plan.js';
import { tablePrefix } from '../raw-bucket/layout.js';
import { pipeName, qualifiedName, quoteLiteral } from '../warehouse/identifiers.js';
import type { Warehouse } from '../warehouse/snowflake.js';
import { loadRejected } from './load-rejection.js';
import { rawTableName } from './loaded-files.js';

/** The loader `pipe`: Snowpipe loads by itself; here is what to do when it does not. */

const pipeOf = ({ target }: Plan): string => qualifiedName(target.rawSchema, pipeName(target.rawTable));

/** COPY_HISTORY looks back 14 days, and refuses to be asked about more. */
const historyDays = 13;

/**
 * Looks for errors of the missing files in the load history.
 * @throws FirnError LoadRejected with file, row and column
 */
export async function refuseRejectedFiles(warehouse: Warehouse, plan: Plan, missing: DataFile[]): Promise<void> {
  const since = new Date(Math.max(Date.parse(plan.plannedAt), Date.now() - historyDays * 86_400_000));
  const errors = await warehouse.query(
    `SELECT file_name AS "file", first_error_message AS "message", first_error_line_number AS "row", first_error_column_name AS "column"
FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => ${quoteLiteral(rawTableName(plan))}, START_TIME => CAST(? AS TIMESTAMP_LTZ)))
WHERE status IN ('Load failed', 'Partially loaded')`,
    [since.toISOString()],
  );
  for (const { key } of missing) {
    // The history shows paths relative to the pipe's stage path.
    const error = errors.find(({ file }) => key === file || key.endsWith(`/${file}`));
    if (error) {
      const { message, row, column } = error as { message: string | null; row: number | null; column: string | null };
      throw loadRejected(plan, { file: key, row, column, message: message ?? 'no reason given' });
    }
  }
}

/** @throws FirnError PipePaused with the command that resumes it, also for one that Snowflake has stopped */
export async function refusePausedPipe(warehouse: Warehouse, plan: Plan): Promise<void> {
  const [row] = await warehouse.query(`SELECT SYSTEM$PIPE_STATUS(?) AS "status"`, [pipeOf(plan)]);
  const { executionState, error } = JSON.parse(String(row?.status ?? '{}')) as { executionState?: string; error?: string };
  if (executionState === undefined || executionState === 'RUNNING') return;
  const pipe = pipeOf(plan);
  const why = error ? ` (${error})` : '';
  const fix =
    executionState === 'PAUSED'
      ? `Resume it: ALTER PIPE ${pipe} SET PIPE_EXECUTION_PAUSED = FALSE;`
      : `Mend what it names; see it by SELECT SYSTEM$PIPE_STATUS(${quoteLiteral(pipe)});`;
  throw new FirnError('PipePaused', `Pipe ${pipe} is ${executionState}${why}. ${fix}`);
}

/** Has the pipe look for the run's files: their notification may have been lost. Files loaded before are not loaded again. */
export async function refreshPipe(warehouse: Warehouse, plan: Plan): Promise<void> {
  const prefix = `${plan.prefix.slice(tablePrefix(plan.run).length)}${plan.run.runId}-`;
  await warehouse.query(`ALTER PIPE ${pipeOf(plan)} REFRESH PREFIX = ${quoteLiteral(prefix)}`);
}
