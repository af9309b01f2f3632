import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { FirnError } from '../core/errors.js';
import type { ExportPlan } from '../core/export/explain.js';
import type { ExportSet } from '../core/export/load.js';
import type { ExportConfig } from '../core/export/schema.js';
import { diffSets, readSets, writeSets } from '../core/export/store.js';
import type { ExportSummary } from '../core/export/summary.js';
import { lambdaFunctions } from '../core/invocation.js';
import type { FirnEnvironment } from './environment.js';
import { printAside } from './output.js';
import { callStart } from './start-function.js';

/** Has what the file says count. False when it did already. */
export async function pushSet(environment: FirnEnvironment, set: ExportSet): Promise<boolean> {
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } });
  const store = { documents, table: environment.output('TableConfig') };
  const changes = diffSets(await readSets(store), [set], 'keep');
  await writeSets(store, [set], changes);
  return changes.length > 0;
}

/** What each export would do, asked of Snowflake by the function `export`. */
export async function explainInEnvironment(environment: FirnEnvironment, exports: ExportConfig[]): Promise<ExportPlan[]> {
  const called = await lambdaFunctions(new LambdaClient({})).invoke(`firn-${environment.name}-export`, { action: 'explain', exports });
  if ('answer' in called) return (called.answer as { plans: ExportPlan[] }).plans;
  throw new FirnError('Internal', `${called.errorType}: ${called.errorMessage}`);
}

/** Starts or joins the exports and waits for their end. */
export async function runExports(environment: FirnEnvironment, { name }: ExportSet, only?: string[]): Promise<ExportSummary> {
  const wishes = { wait: false, ...(only && { only }) };
  const [started] = (await callStart<ExportSummary>(environment, 'export', [[name, wishes]]))!;
  if (started!.status === 'REJECTED') throw new FirnError(started!.error!.code, started!.error!.message);
  const leave = () => {
    printAside(`The exports go on: firn sql "SELECT export_status('${started!.export_id}')"`);
    process.exit(130);
  };
  process.once('SIGINT', leave);
  const told = new Set<string>();
  let summary = started!;
  while (summary.status === 'RUNNING') {
    await pause(1000);
    [summary] = (await callStart<ExportSummary>(environment, 'export-status', [[started!.export_id]])) as [ExportSummary];
    for (const { done, table, s3_path } of summary.exports) {
      if (done === '…' || told.has(s3_path)) continue;
      told.add(s3_path);
      printAside(`${done} ${table}`);
    }
  }
  process.off('SIGINT', leave);
  return { ...summary, joined: started!.joined };
}
