import { exportProgress, exportRows, exportStatusRows } from '../export/answers.js';
import { receiptOf } from '../receipt/from-run.js';
import { type Batch, batchKey, openBatch, readBatch, settleBatch } from './batch.js';
import type { StartContext } from './context.js';
import { planRows } from './explain.js';
import { ingestRows } from './ingest.js';
import { batchIdentity, MalformedRequest, operationOf, type ProxyAnswer, type ProxyEvent, type Row, rowsOf } from './request.js';
import { currentRecords, retryRows, statusRows } from './runs.js';

/**
 * Answers one HTTP request of an external function. 202 means: ask again with GET; 200 has a value for each row.
 * A request that fails for a moment (AWS) answers 503, which Snowflake repeats: nothing is started twice.
 */
export async function answer(context: StartContext, request: ProxyEvent): Promise<ProxyAnswer> {
  try {
    if (request.httpMethod === 'POST') return await post(context, request);
    if (request.httpMethod === 'GET') return await get(context, request);
    throw new MalformedRequest(405, `${request.httpMethod} is neither POST nor GET.`);
  } catch (error) {
    if (error instanceof MalformedRequest) {
      context.log.warn({ status: error.statusCode }, error.message);
      return respond(error.statusCode, { error: error.message });
    }
    context.log.error({ stack: error instanceof Error ? error.stack : undefined }, String(error));
    return respond(503, { error: 'Firn could not answer for the moment. The log of the function start says why.' });
  }
}

async function post(context: StartContext, request: ProxyEvent): Promise<ProxyAnswer> {
  const operation = operationOf(request);
  const rows = rowsOf(request);
  if (operation === 'status') return respond(200, { data: await statusRows(context, rows) });
  if (operation === 'export-status') return respond(200, { data: await exportStatusRows(context.exports, rows) });
  if (operation === 'plan') return respond(200, { data: await planRows(context, rows) });
  const opened = await openBatch(context.state, batchKey(batchIdentity(request)), rows.length);
  if (opened.candidates.length !== rows.length) throw new MalformedRequest(400, 'The batch was sent before with another number of rows.');
  const work = { ingest: ingestRows, retry: retryRows, export: exportRowsOf }[operation];
  const batch = opened.outcomes ? opened : await settleBatch(context.state, opened, await work(context, opened, rows));
  return operation === 'export' ? progressOfExports(context, batch) : progress(context, batch);
}

async function get(context: StartContext, request: ProxyEvent): Promise<ProxyAnswer> {
  const operation = operationOf(request);
  const batch = await readBatch(context.state, batchKey(batchIdentity(request)));
  if (!batch) throw new MalformedRequest(404, 'No such batch: it was never sent by POST, or more than 7 days ago.');
  return operation === 'export' ? progressOfExports(context, batch) : progress(context, batch);
}

const exportRowsOf = ({ exports }: StartContext, batch: Batch, rows: Row[]) => exportRows(exports, batch, rows);

async function progressOfExports({ exports, waitLimit }: StartContext, batch: Batch): Promise<ProxyAnswer> {
  const data = await exportProgress(exports, batch, Date.now() - Date.parse(batch.createdAt) < waitLimit);
  return data ? respond(200, { data }) : respond(202, null);
}

/** 200 once each row has its answer or has waited long enough, 202 before. */
async function progress(context: StartContext, { createdAt, outcomes = [] }: Batch): Promise<ProxyAnswer> {
  const records = await currentRecords(
    context,
    outcomes.map(({ runId }) => runId),
  );
  const pending = outcomes.filter(({ runId, wait }) => wait && records.get(runId)?.status === 'RUNNING');
  const waited = Date.now() - Date.parse(createdAt);
  context.log.info({ rows: outcomes.length, pending: pending.length, waited_seconds: waited / 1000 }, 'progress of a batch');
  if (outcomes.length === 0 || (pending.length > 0 && waited < context.waitLimit)) return respond(202, null);
  const receipt = (runId: string, joined: boolean) => receiptOf(records.get(runId)!, { joined, bucket: context.raw.bucket });
  return respond(200, { data: outcomes.map(({ number, runId, joined }) => [number, receipt(runId, joined)]) });
}

const respond = (statusCode: number, body: unknown): ProxyAnswer => ({
  statusCode,
  headers: { 'Content-Type': 'application/json' },
  body: body === null ? '' : JSON.stringify(body),
});
