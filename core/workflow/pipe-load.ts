import { FirnError } from '../errors.js';
import type { DataFile } from '../plan/manifest.js';
import type { Plan } from '../plan/plan.js';
import { tablePrefix } from '../raw-bucket/layout.js';
import { pipeName, qualifiedName, quoteLiteral } from '../warehouse/identifiers.js';
import type { Warehouse } from '../warehouse/snowflake.js';
import { rawTableName } from './loaded-files.js';

/** The loader `pipe`: Snowpipe loads by itself; here is what to do when it does not. */

const pipeOf = ({ target }: Plan): string => qualifiedName(target.rawSchema, pipeName(target.rawTable));

interface LoadError {
  file: string;
  message: string | null;
  line: number | null;
  column: string | null;
}

/**
 * Looks for errors of the missing files in the load history.
 * @throws FirnError LoadRejected with file, row and column
 */
export async function refuseRejectedFiles(warehouse: Warehouse, plan: Plan, missing: DataFile[]): Promise<void> {
  const errors = (await warehouse.query(
    `SELECT file_name AS "file", first_error_message AS "message", first_error_line_number AS "line", first_error_column_name AS "column"
FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => ${quoteLiteral(rawTableName(plan))}, START_TIME => CAST(? AS TIMESTAMP_LTZ)))
WHERE status IN ('Load failed', 'Partially loaded')`,
    [plan.plannedAt],
  )) as unknown as LoadError[];
  for (const { key } of missing) {
    // The history shows paths relative to the pipe's stage path.
    const error = errors.find(({ file }) => key === file || key.endsWith(`/${file}`));
    if (error) throw rejected(key, error);
  }
}

function rejected(key: string, { message, line, column }: LoadError): FirnError {
  const place = [line === null ? '' : `row ${line}`, column === null ? '' : `column ${column}`].filter(Boolean).join(', ');
  return new FirnError('LoadRejected', `Snowflake rejected ${key}${place && `, ${place}`}: ${message ?? 'no reason given'}`);
}

/** @throws FirnError PipePaused with the command that resumes it */
export async function refusePausedPipe(warehouse: Warehouse, plan: Plan): Promise<void> {
  const [row] = await warehouse.query(`SELECT SYSTEM$PIPE_STATUS(?) AS "status"`, [pipeOf(plan)]);
  const { executionState, error } = JSON.parse(String(row?.status ?? '{}')) as { executionState?: string; error?: string };
  if (executionState === undefined || executionState === 'RUNNING') return;
  const resume = `ALTER PIPE ${pipeOf(plan)} SET PIPE_EXECUTION_PAUSED = FALSE`;
  throw new FirnError('PipePaused', `Pipe ${pipeOf(plan)} is ${executionState}${error ? ` (${error})` : ''}. Resume it: ${resume};`);
}

/** Has the pipe look for the run's files: their notification may have been lost. Files loaded before are not loaded again. */
export async function refreshPipe(warehouse: Warehouse, plan: Plan): Promise<void> {
  const prefix = `${plan.prefix.slice(tablePrefix(plan.run).length)}${plan.run.runId}-`;
  await warehouse.query(`ALTER PIPE ${pipeOf(plan)} REFRESH PREFIX = ${quoteLiteral(prefix)}`);
}
