import { readdirSync, readFileSync } from 'node:fs';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Client } from 'pg';
import type { Column } from '../../../core/column.js';
import { describeTable } from '../../../core/source/postgres/catalog.js';
import type { Policies } from '../../../core/source/postgres/types.js';
import { systemColumns } from '../../../core/system-columns.js';
import { qualifiedName, quoteIdentifier } from '../../../core/warehouse/identifiers.js';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import { copyStatements } from '../../../core/workflow/copy-load.js';
import { type LocalSnowflake, startLocalSnowflake } from '../sql/local-snowflake.js';
import { planOf, prepare, process, seal } from '../sql/table.js';
import { startLocalAws } from '../state/local-aws.js';
import { type ExtractedTable, extractTable } from './extracting.js';

/** The bucket of the stage that local-snowflake.ts makes. */
const bucket = 'firn-dev-raw';

/** The local Snowflake with a bucket to load from. */
export async function startStaging(): Promise<Pick<LocalSnowflake, 'warehouse' | 'stop'>> {
  const aws = await startLocalAws();
  await new S3Client({}).send(new CreateBucketCommand({ Bucket: bucket }));
  const snowflake = await startLocalSnowflake(aws.endpoint);
  return {
    warehouse: snowflake.warehouse,
    stop: async () => {
      await Promise.all([aws.stop(), snowflake.stop()]);
    },
  };
}

/** Takes a table with the key ID from PostgreSQL to staging, and shows the columns but the key as text, row by row. */
export async function stage(client: Client, warehouse: Warehouse, table: string, policies: Policies) {
  const { columns } = await describeTable(client, { schema: 'public', table }, { policies });
  const plan = planOf(table, 1, { columns, primaryKey: ['ID'], loader: 'copy' });
  const { run, op, order } = systemColumns;
  const constants = { [run]: plan.run.runId, [op]: 'R', [order]: plan.order };
  const extracted: ExtractedTable = await extractTable(client, { table }, { policies }, { constants });
  const key = `${plan.prefix}${plan.run.runId}-0000-a000.parquet`;
  const [file] = readdirSync(extracted.folder);
  await new S3Client({}).send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: readFileSync(`${extracted.folder}/${file}`) }));

  await prepare(warehouse, plan, 1);
  for (const statement of copyStatements(plan, [{ key, rows: 1, bytes: 1 }])) await warehouse.query(statement);
  await seal(warehouse, plan, [key]);
  await process(warehouse, plan, 1);
  const rows = await warehouse.query(
    `SELECT ${columns.map((column) => `${shown(column)} AS ${quoteIdentifier(column.target)}`).join(', ')}
FROM ${qualifiedName(plan.target.stagingSchema, plan.target.stagingTable)} AS s ORDER BY s.ID`,
  );
  return { extracted, columns: columns.slice(1), rows: rows.map((row) => Object.values(row).slice(1) as (string | null)[]) };
}

function shown({ target, staging }: Column): string {
  const column = `s.${quoteIdentifier(target)}`;
  if (staging === 'VARIANT') return `TO_JSON(${column})`;
  // In the offset of its own, which is +00:00.
  if (staging.startsWith('TIMESTAMP')) return `TO_VARCHAR(${column}, 'YYYY-MM-DD HH24:MI:SS.FF6')`;
  if (staging === 'DATE') return `TO_VARCHAR(${column}, 'YYYY-MM-DD')`;
  return `TO_VARCHAR(${column})`;
}

/**
 * Two texts of one value of a type are equal when these are: zeros at the ends, the sign of zero, the offset
 * +00, and white space and the order of keys of JSON, go.
 */
export function comparable(text: string | null, staging: string): unknown {
  if (text === null) return null;
  if (staging === 'FLOAT') return Number(text.replace(/^(-?)inf$/i, '$1Infinity')) + 0;
  if (staging.startsWith('NUMBER')) return text.replace(/^(-?)\./, '$10.').replace(/\.0+$|(\.\d*?)0+$/, '$1');
  if (/^TIME/.test(staging))
    return text
      .replace(/\+00$/, '')
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '');
  return staging === 'VARIANT' ? sorted(JSON.parse(text, exactNumbers as never)) : text;
}

/** Numbers of at most 38 digits that a double does not hold: the digits and the power of ten. Others are doubles in a VARIANT too. */
function exactNumbers(_: string, value: unknown, context?: { source: string }): unknown {
  if (typeof value !== 'number') return value;
  const { sign, digits, power } = significant(context!.source);
  if (digits.length > 38 || digits === significant(String(value)).digits) return value + 0;
  return `${sign}${digits}e${power}`;
}

function significant(text: string): { sign: string; digits: string; power: number } {
  const [, sign = '', whole = '', fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const all = `${whole}${fraction}`;
  const trimmed = all.replace(/0+$/, '');
  return { sign, digits: trimmed.replace(/^0+/, ''), power: Number(power) - fraction.length + all.length - trimmed.length };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
