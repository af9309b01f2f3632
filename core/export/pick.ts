import { FirnError } from '../errors.js';
import type { ExportContext } from './context.js';
import { type ExportItem, finishExport, readExport, readItems, reopenExport, setItem } from './record.js';
import { readSet } from './store.js';

/**
 * Pick: which exports are to be made now. It is the first state of the workflow and the last, and the only one that fails it: after a
 * redrive, which runs the failed state again, the exports that failed in an earlier attempt are picked anew.
 * @param attempt redrive count of the execution
 * @throws FirnError ExportFailed when none is left and some have failed
 */
export async function pick(context: ExportContext, exportId: string, attempt: number): Promise<{ pending: number[]; any: boolean }> {
  const { state, log } = context;
  const record = await readExport(state, exportId);
  if (!record) throw new FirnError('Internal', `There is no export ${exportId}.`);
  const items = await readItems(state, exportId);
  const again = items.filter((item) => item.status === 'FAILED' && item.attempt < attempt);
  if (again.length > 0) await prepareAgain(context, exportId, record.name, again, attempt);
  const pending = items.filter((item) => item.status === 'PENDING' || again.includes(item)).map(({ index }) => index);
  if (pending.length > 0) return { pending, any: true };

  const failed = items.filter(({ status }) => status === 'FAILED');
  const finishedAt = new Date().toISOString();
  if (failed.length === 0) {
    await finishExport(state, exportId, { status: 'SUCCEEDED', finishedAt, error: null });
    return { pending, any: false };
  }
  const reasons = failed.map(({ config, error }) => `${config.table} (${error?.code})`).join(', ');
  const error = new FirnError('ExportFailed', `${failed.length} of ${items.length} exports failed: ${reasons}`.slice(0, 1000));
  await finishExport(state, exportId, { status: 'FAILED', finishedAt, error: error.toRecord() });
  log.warn({ failed: failed.map(({ config }) => config.table) }, 'exports failed');
  throw error;
}

/** A redrive reads the present: what was pushed meanwhile for the same object counts. */
async function prepareAgain(
  { state, configs }: ExportContext,
  exportId: string,
  name: string,
  items: ExportItem[],
  attempt: number,
): Promise<void> {
  await reopenExport(state, exportId);
  const pushed = await readSet(configs, name).then(
    (set) => set.exports,
    (error: unknown) => {
      if (error instanceof FirnError) return [];
      throw error;
    },
  );
  for (const { index, config } of items) {
    const now = pushed.find(({ s3_path }) => s3_path === config.s3_path) ?? config;
    const anew = { unload: null, rows: null, bytes: null, files: null, error: null, startedAt: null, finishedAt: null };
    await setItem(state, exportId, index, { ...anew, config: now, status: 'PENDING', attempt });
  }
}
