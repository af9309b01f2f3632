import type { FirnError } from '../errors.js';
import { createLog } from '../log.js';
import { keepLog } from '../raw-bucket/run-log.js';
import { receiptOf } from '../receipt/from-run.js';
import { createRun, type RunRecord, readRun } from '../state/runs.js';
import type { StartContext } from './context.js';

/** Records a row that cannot be a run under the id that its run would have had: in its record, its log and FIRN.RUNS. */
export async function reject(context: StartContext, runId: string, args: unknown[], error: FirnError): Promise<void> {
  const { state, raw, functions, warehouseFunction } = context;
  if (await readRun(state, runId)) return;
  const [source, database, table] = [0, 1, 2].map((i) => (typeof args[i] === 'string' ? args[i].slice(0, 255) : '')) as [
    string,
    string,
    string,
  ];
  const at = new Date().toISOString();
  const run = { runId, source, database, table };
  const rejected = { run, mode: null, status: 'REJECTED', startedAt: at, finishedAt: at, error: error.toRecord() } as const;
  const log = createLog({ function: 'start', action: 'reject', run_id: runId, source, database, table });
  log.warn({ error: rejected.error }, error.message);
  await keepLog(raw, runId, 'reject', log);
  const receipt = receiptOf({ executionArn: null, receipt: {}, ...rejected } as RunRecord, { joined: false, bucket: raw.bucket });
  await functions.invokeLater(warehouseFunction, { action: 'record-rejection', receipt });
  // Last: an attempt that died before does all of it again, and a second event of the same run changes nothing.
  await createRun(state, rejected);
}
