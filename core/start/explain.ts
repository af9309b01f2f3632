import { errorRecord, FirnError, isErrorCode } from '../errors.js';
import type { StartContext } from './context.js';
import { inParallel } from './parallel.js';
import { type Row, tableRequest } from './request.js';

/** What a run of each row's table would do: the function `plan` says, which can reach the source. */
export async function planRows({ functions, planFunction }: StartContext, rows: Row[]): Promise<[number, unknown][]> {
  return inParallel(rows, async ({ number, args }) => {
    try {
      const { source, database, table, mode } = tableRequest(args);
      const called = await functions.invoke(planFunction, { action: 'explain', run: { source, database, table }, mode });
      if ('answer' in called) return [number, called.answer];
      const code = isErrorCode(called.errorType) ? called.errorType : 'Internal';
      return [number, { error: errorRecord(code, called.errorMessage) }];
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      return [number, { error: error.toRecord() }];
    }
  });
}
