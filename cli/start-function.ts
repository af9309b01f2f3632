import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Receipt } from '../core/receipt/receipt.js';
import type { Operation, ProxyAnswer, ProxyEvent } from '../core/start/request.js';
import type { FirnEnvironment } from './environment.js';

/** Snowflake sends at most as many rows in a request (MAX_BATCH_ROWS). */
const batchRows = 100;
/** How often a request is repeated that could not be answered for the moment. */
const attempts = 5;

/**
 * Calls the function `start` as Snowflake's external functions do: the same rows, the same headers. API Gateway itself admits
 * Snowflake's role alone; who calls from a shell needs lambda:InvokeFunction.
 * @returns one answer per row; null when Snowflake would be told to ask again, because runs are under way
 */
export async function callStart<T>(environment: FirnEnvironment, operation: Operation, rows: unknown[][]): Promise<T[] | null> {
  const client = new LambdaClient({});
  const answers: T[] = [];
  for (let from = 0; from < rows.length; from += batchRows) {
    const batch = await callBatch<T>(client, `firn-${environment.name}-start`, operation, rows.slice(from, from + batchRows));
    if (batch === null) return null;
    answers.push(...batch);
  }
  return answers;
}

/** Receipts of runs as they are now. */
export async function receiptsOf(environment: FirnEnvironment, runIds: string[]): Promise<Receipt[]> {
  const rows = runIds.map((runId) => [runId]);
  return (await callStart<Receipt>(environment, 'status', rows))!;
}

async function callBatch<T>(client: LambdaClient, name: string, operation: Operation, rows: unknown[][]): Promise<T[] | null> {
  const event: ProxyEvent = {
    httpMethod: 'POST',
    path: `/${operation}`,
    headers: {
      'content-type': 'application/json',
      'sf-external-function-format': 'json',
      'sf-external-function-current-query-id': randomUUID(),
      'sf-external-function-query-batch-id': randomUUID(),
    },
    body: JSON.stringify({ data: rows.map((row, index) => [index, ...row]) }),
  };
  let answer = await invoke(client, name, event);
  for (let attempt = 1; answer.statusCode === 503 && attempt < attempts; attempt += 1) {
    await pause(1000 * attempt);
    answer = await invoke(client, name, event);
  }
  if (answer.statusCode === 202) return null;
  if (answer.statusCode !== 200) throw new Error(`${name} answered ${answer.statusCode}: ${answer.body}`);
  const { data } = JSON.parse(answer.body) as { data: [number, T][] };
  return data.sort((a, b) => a[0] - b[0]).map(([, value]) => value);
}

async function invoke(client: LambdaClient, name: string, event: ProxyEvent): Promise<ProxyAnswer> {
  const { Payload, FunctionError } = await client.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) }));
  const payload = JSON.parse(Payload!.transformToString()) as ProxyAnswer & { errorMessage?: string };
  if (FunctionError) throw new Error(`${name} failed: ${payload.errorMessage}`);
  return payload;
}
