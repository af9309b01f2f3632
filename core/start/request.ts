import * as z from 'zod';
import { FirnError } from '../errors.js';
import { type Mode, modeSchema } from '../plan/plan.js';

/**
 * Requests of Snowflake's external functions through API Gateway.
 * Source: Snowflake, "Remote service input and output data formats".
 */

/** The part of API Gateway's proxy event (payload version 1.0) that is read. */
export interface ProxyEvent {
  httpMethod: string;
  path: string;
  headers: Record<string, string | undefined> | null;
  body: string | null;
  isBase64Encoded?: boolean;
}

export interface ProxyAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

export const operations = ['ingest', 'status', 'retry', 'plan', 'export', 'export-status'] as const;
export type Operation = (typeof operations)[number];

/** One row of a batch: its number, and the arguments of the call. */
export interface Row {
  number: number;
  args: unknown[];
}

/** The request as a whole makes no sense: nothing of it can be answered row by row. */
export class MalformedRequest extends Error {
  constructor(
    readonly statusCode: 400 | 404 | 405,
    message: string,
  ) {
    super(message);
  }
}

/** Snowflake sends 100 rows at most (MAX_BATCH_ROWS); a batch is one item of DynamoDB. */
const rowLimit = 500;

const bodySchema = z.object({
  data: z
    .array(z.tuple([z.int().min(0)], z.unknown()))
    .min(1)
    .max(rowLimit),
});

export function operationOf({ path }: ProxyEvent): Operation {
  const name = path.split('/').findLast((part) => part !== '');
  const operation = operations.find((known) => known === name);
  if (!operation) throw new MalformedRequest(404, `There is no ${path}: only ${operations.map((known) => `/${known}`).join(', ')}.`);
  return operation;
}

export function rowsOf({ body, isBase64Encoded }: ProxyEvent): Row[] {
  const text = isBase64Encoded ? Buffer.from(body ?? '', 'base64').toString('utf8') : (body ?? '');
  const parsed = bodySchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new MalformedRequest(400, `The body must be {"data": [[row number, argument, …], …]} with 1 to ${rowLimit} rows.`);
  }
  const rows = parsed.data.data.map(([number, ...args]) => ({ number, args }));
  if (new Set(rows.map(({ number }) => number)).size < rows.length) throw new MalformedRequest(400, 'Two rows have the same number.');
  return rows;
}

/** What tells one batch from another: the same for a POST that Snowflake repeats, and for its GETs. */
export function batchIdentity({ headers }: ProxyEvent): string {
  const value = (name: string) => {
    const found = Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];
    if (!found) throw new MalformedRequest(400, `The header ${name} is missing: only external functions of Snowflake call here.`);
    return found;
  };
  return `${value('sf-external-function-current-query-id')}|${value('sf-external-function-query-batch-id')}`;
}

export interface TableRequest {
  source: string;
  database: string;
  table: string;
  /** Null: as the table is configured. */
  mode: Mode | null;
  /** False: the call does not wait for the run. */
  wait: boolean;
}

const optionsSchema = z.strictObject({ wait: z.boolean().default(true), mode: modeSchema.nullable().default(null) });

/** Arguments of ingest_table and ingest_plan. @throws FirnError ArgumentInvalid */
export function tableRequest(args: unknown[]): TableRequest {
  if (args.length < 3 || args.length > 4) throw invalid(`${args.length} arguments were given, not 3 or 4`);
  const [source, database, table] = ['source', 'database', 'table'].map((name, i) => nonEmpty(name, args[i])) as [string, string, string];
  const options = optionsSchema.safeParse(args[3] ?? {});
  if (!options.success) {
    const { path, message } = options.error.issues[0]!;
    throw invalid(
      `the options${path.length > 0 ? `' ${path.join('.')}` : ''}: ${message}; known are wait (boolean) and mode ('full' or 'incremental')`,
    );
  }
  return { source, database, table, ...options.data };
}

/** Argument of ingest_status and ingest_retry. @throws FirnError ArgumentInvalid */
export function runIdArgument(args: unknown[]): string {
  if (args.length !== 1) throw invalid(`${args.length} arguments were given, not 1`);
  return nonEmpty('run id', args[0]);
}

function nonEmpty(name: string, value: unknown): string {
  if (value === null || value === undefined) throw invalid(`the ${name} is NULL`);
  if (typeof value !== 'string') throw invalid(`the ${name} is no string but ${typeof value}`);
  if (value === '') throw invalid(`the ${name} is empty`);
  if (value.length > 255) throw invalid(`the ${name} has ${value.length} characters, more than 255`);
  return value;
}

const invalid = (what: string): FirnError => new FirnError('ArgumentInvalid', `Invalid call: ${what}.`);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
