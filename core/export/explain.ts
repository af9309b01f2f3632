import type { ErrorRecord } from '../errors.js';
import { FirnError } from '../errors.js';
import { inParallel } from '../start/parallel.js';
import { checkExport } from './checks.js';
import type { ExportContext } from './context.js';
import type { ExportConfig } from './schema.js';
import { planUnload, queryFailed } from './unload.js';

/** What an export would do: the statement and its columns, or what Snowflake has against it. Nothing is written. */
export interface ExportPlan {
  table: string;
  s3_path: string;
  columns: { name: string; type: string }[];
  statement: string | null;
  error: ErrorRecord | null;
}

export async function explainExports(context: ExportContext, exports: ExportConfig[]): Promise<{ plans: ExportPlan[] }> {
  const plans = await inParallel(exports, async (config): Promise<ExportPlan> => {
    const { table, s3_path } = config;
    try {
      const [problem] = checkExport(config);
      if (problem) throw new FirnError('ConfigInvalid', `${problem.path.join('.')}: ${problem.message}`);
      const { statement, columns } = await context.snowflake((session) =>
        planUnload(session, config, { exportId: '<export>', index: 0 }).catch(queryFailed),
      );
      return { table, s3_path, columns: columns.map(({ name, type }) => ({ name, type })), statement, error: null };
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      return { table, s3_path, columns: [], statement: null, error: error.toRecord() };
    }
  });
  return { plans };
}
