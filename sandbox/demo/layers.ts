import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import type pg from 'pg';
import { number, print, table } from '../../cli/output.js';
import { qualifiedName } from '../../core/warehouse/identifiers.js';
import type { Warehouse } from '../../core/warehouse/snowflake.js';

const count = async (warehouse: Warehouse, name: string): Promise<number> =>
  Number((await warehouse.query(`SELECT COUNT(*) AS N FROM ${name}`))[0]!.N);

/** Rows of each table at the source, in raw and in staging, side by side. @throws Error when source and staging differ */
export async function showLayers(source: pg.Client, warehouse: Warehouse): Promise<void> {
  const names = (await warehouse.query('SELECT TABLE_NAME FROM FIRN.TABLES ORDER BY TABLE_NAME')).map((row) => String(row.TABLE_NAME));
  const rows: string[][] = [];
  for (const name of names) {
    const atSource = Number((await source.query(`SELECT count(*) AS n FROM ${name}`)).rows[0].n);
    const raw = await count(warehouse, qualifiedName('RAW_CLR', `${name.toUpperCase()}_COMMITTED`));
    const staging = await count(warehouse, qualifiedName('STAGING_CLR', name.toUpperCase()));
    rows.push([name, number(atSource), number(raw), number(staging), atSource === staging ? '=' : '≠']);
  }
  print(table(['table', 'source', 'raw', 'staging', ''], rows, ['source', 'raw', 'staging']));
  if (rows.some((row) => row[4] !== '=')) throw new Error('source and staging differ');
}

/** The Parquet files of one table. */
export async function showFiles(bucket: string, prefix: string): Promise<void> {
  const { Contents = [] } = await new S3Client({}).send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  for (const { Key, Size } of Contents.slice(-3)) print(`  s3://${bucket}/${Key}  ${number(Size)} bytes`);
}

/** Waits until no gold model is being built. */
export async function goldSettled(goldStateMachineArn: string): Promise<void> {
  const client = new SFNClient({});
  const isBuilding = async () => {
    const { executions = [] } = await client.send(
      new ListExecutionsCommand({ stateMachineArn: goldStateMachineArn, statusFilter: 'RUNNING' }),
    );
    return executions.length > 0;
  };
  while (await isBuilding()) await new Promise((resolve) => setTimeout(resolve, 500));
}

/** The marts that dbt built, and one of them. */
export async function showMarts(warehouse: Warehouse): Promise<void> {
  const names = await warehouse.query(
    "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'MARTS' AND TABLE_NAME NOT LIKE '%__DBT_TMP' ORDER BY TABLE_NAME",
  );
  const rows: string[][] = [];
  for (const { TABLE_NAME } of names) {
    rows.push([`marts.${String(TABLE_NAME).toLowerCase()}`, number(await count(warehouse, qualifiedName('MARTS', String(TABLE_NAME))))]);
  }
  print(table(['mart', 'rows'], rows, ['rows']));
}

/** The gold models: their rows, and how often each was built. */
export async function showGold(warehouse: Warehouse): Promise<void> {
  const builds = await warehouse.query(
    `SELECT MODEL, COUNT(*) AS BUILDS, COUNT_IF(STATUS = 'FAILED') AS FAILED FROM FIRN.GOLD_BUILDS GROUP BY MODEL ORDER BY MODEL`,
  );
  const rows: string[][] = [];
  for (const { MODEL, BUILDS, FAILED } of builds) {
    rows.push([
      `gold.${String(MODEL).toLowerCase()}`,
      number(await count(warehouse, qualifiedName('GOLD', String(MODEL)))),
      String(BUILDS),
      String(FAILED),
    ]);
  }
  print(table(['model', 'rows', 'builds', 'failed'], rows, ['rows', 'builds', 'failed']));
}
