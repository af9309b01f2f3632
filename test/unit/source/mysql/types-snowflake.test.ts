import { readdirSync, readFileSync } from 'node:fs';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Column } from '../../../../core/column.js';
import { describeTable } from '../../../../core/source/mysql/catalog.js';
import { connect, drop } from '../../../../core/source/mysql/connection.js';
import { defaultPolicies } from '../../../../core/source/mysql/types.js';
import { systemColumns } from '../../../../core/system-columns.js';
import { qualifiedName, quoteIdentifier } from '../../../../core/warehouse/identifiers.js';
import { copyStatements } from '../../../../core/workflow/copy-load.js';
import { mysqlCases, mysqlGroups, mysqlSetup, mysqlTable } from '../../../types/mysql.js';
import type { MysqlCase } from '../../../types/mysql-case.js';
import { planOf, prepare, process, seal } from '../../sql/table.js';
import { removeFolders } from '../extracting.js';
import { comparable, startStaging } from '../staged-types.js';
import { extractTable } from './extracting-mysql.js';
import { type RunningMysql, startMysql } from './running-mysql.js';

let server: RunningMysql;
let client: Connection;
let staging: Awaited<ReturnType<typeof startStaging>>;
const shown = new Map<MysqlCase, string | null>();

beforeAll(async () => {
  [server, staging] = await Promise.all([startMysql(), startStaging()]);
  client = await server.connect();
  await client.query(mysqlSetup);
  for (const [index, cases] of mysqlGroups().entries()) await stageGroup(`staged_${index}`, cases);
});
afterAll(async () => {
  removeFolders();
  await Promise.all([server?.stop(), staging?.stop()]);
});

/** Takes the cases to staging as a run does. */
async function stageGroup(name: string, cases: MysqlCase[]): Promise<void> {
  await client.query(mysqlTable(name, cases));
  const policies = { ...defaultPolicies, ...cases[0]!.policies };
  const session = await connect(server.secret);
  const { columns: described } = await describeTable(session, { schema: 'shop', table: name }, { policies }).finally(() => drop(session));
  const plan = planOf(name, 1, { columns: described, primaryKey: ['ID'], loader: 'copy' });
  const { run, op, order } = systemColumns;
  const { folder } = await extractTable(
    server.secret,
    name,
    { policies },
    { constants: { [run]: plan.run.runId, [op]: 'R', [order]: plan.order } },
  );
  const key = `${plan.prefix}${plan.run.runId}-0000-a000.parquet`;
  const [file] = readdirSync(folder);
  await new S3Client({}).send(new PutObjectCommand({ Bucket: 'firn-dev-raw', Key: key, Body: readFileSync(`${folder}/${file}`) }));
  await prepare(staging.warehouse, plan, 1);
  for (const statement of copyStatements(plan, [{ key, rows: 2, bytes: 1 }])) await staging.warehouse.query(statement);
  await seal(staging.warehouse, plan, [key]);
  await process(staging.warehouse, plan, 1);
  const columns = described.map((column) => `${shownText(column)} AS ${quoteIdentifier(column.target)}`);
  const [row] = await staging.warehouse.query(
    `SELECT ${columns.join(', ')} FROM ${qualifiedName(plan.target.stagingSchema, plan.target.stagingTable)} AS s ORDER BY s.ID`,
  );
  for (const [i, one] of cases.entries()) shown.set(one, Object.values(row!)[i + 1] as string | null);
}

function shownText({ target, staging: type }: Column): string {
  const column = `s.${quoteIdentifier(target)}`;
  if (type === 'VARIANT') return `TO_JSON(${column})`;
  if (type.startsWith('TIMESTAMP')) return `TO_VARCHAR(${column}, 'YYYY-MM-DD HH24:MI:SS.FF6')`;
  if (type === 'DATE') return `TO_VARCHAR(${column}, 'YYYY-MM-DD')`;
  return type === 'BINARY' ? `HEX_ENCODE(${column})` : `TO_VARCHAR(${column})`;
}

describe('a value of MariaDB arrives in staging exactly (Snowflake local)', () => {
  it.each(mysqlCases.map((one) => [one.type, one.sql.slice(0, 60), JSON.stringify(one.policies ?? ''), one] as const))(
    '%s %s %s',
    (_, __, ___, one) => {
      expect(comparable(shown.get(one)!, one.staging)).toEqual(comparable(one.shown ?? one.value, one.staging));
    },
  );
});
