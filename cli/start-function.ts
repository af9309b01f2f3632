import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { FirnEnvironment } from './environment.js';

/** What API Gateway hands to the function `start`, as far as it reads it. */
interface ProxyEvent {
  httpMethod: 'POST' | 'GET';
  path: string;
  headers: Record<string, string>;
  body: string | null;
  isBase64Encoded: false;
}

interface ProxyAnswer {
  statusCode: number;
  body: string;
}

/** Snowflake sends at most as many rows in a request (MAX_BATCH_ROWS). */
const batchRows = 100;

/**
 * Calls the function `start` as Snowflake's external functions do: the same rows, the same polling. API Gateway itself admits
 * Snowflake's role alone; who calls from a shell needs lambda:InvokeFunction.
 * @returns one answer per row
 */
export async function callStart<T>(environment: FirnEnvironment, path: string, rows: unknown[][]): Promise<T[]> {
  const client = new LambdaClient({});
  const answers: T[] = [];
  for (let from = 0; from < rows.length; from += batchRows) {
    answers.push(...(await callBatch<T>(client, environment.name, path, rows.slice(from, from + batchRows))));
  }
  return answers;
}

async function callBatch<T>(client: LambdaClient, environment: string, path: string, rows: unknown[][]): Promise<T[]> {
  const headers = {
    'content-type': 'application/json',
    'sf-external-function-format': 'json',
    'sf-external-function-current-query-id': randomUUID(),
    'sf-external-function-query-batch-id': `${randomUUID()}:0`,
  };
  const body = JSON.stringify({ data: rows.map((row, index) => [index, ...row]) });
  let answer = await invoke(client, environment, { httpMethod: 'POST', path, headers, body, isBase64Encoded: false });
  while (answer.statusCode === 202) {
    await pause(1000);
    answer = await invoke(client, environment, { httpMethod: 'GET', path, headers, body: null, isBase64Encoded: false });
  }
  if (answer.statusCode !== 200) throw new Error(`the function start answered ${answer.statusCode}: ${answer.body}`);
  const { data } = JSON.parse(answer.body) as { data: [number, T][] };
  return [...data].sort((a, b) => a[0] - b[0]).map(([, value]) => value);
}

async function invoke(client: LambdaClient, environment: string, event: ProxyEvent): Promise<ProxyAnswer> {
  const { Payload, FunctionError } = await client.send(
    new InvokeCommand({ FunctionName: `firn-${environment}-start`, Payload: JSON.stringify(event) }),
  );
  const payload = JSON.parse(Payload!.transformToString()) as ProxyAnswer & { errorMessage?: string };
  if (FunctionError) throw new Error(`the function start failed: ${payload.errorMessage}`);
  return payload;
}
