import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { Receipt } from '../../core/receipt/receipt.js';
import { useSandbox } from './fixture.js';

const firn = useSandbox();

const oneLine = /^[^\n]+$/;

describe('what cannot be ingested fails with a code and what to do', () => {
  const refused = [
    { table: 'not_there', code: 'SourceTableMissing' },
    { table: 'no_cursor', code: 'CursorColumnMissing' },
    { table: 'text_cursor', code: 'CursorColumnUnsuitable' },
    { table: 'no_key', code: 'PrimaryKeyMissing' },
    { table: 'forbidden', code: 'SourcePermissionDenied' },
    { table: 'null_cursor', code: 'CursorIsNull' },
    { table: 'bad_filter', code: 'SourceQueryFailed' },
    { table: 'not_a_number', code: 'ValueOutOfRange' },
    { table: 'same_names', code: 'ColumnNameCollision' },
  ];
  it.each(refused)('$table: $code in the answer, in firn.runs and in the log', async ({ table, code }) => {
    const receipt = await firn.ingest(table);
    expect(receipt).toMatchObject({ status: 'FAILED', table, error: { code, message: expect.stringMatching(oneLine) } });
    expect(receipt.error!.action.length).toBeGreaterThan(10);
    expect(JSON.stringify(receipt)).not.toContain('    at ');

    const run = async () => (await firn.warehouse.query('SELECT STATUS, ERROR_CODE FROM FIRN.RUNS WHERE RUN_ID = ?', [receipt.run_id]))[0];
    await expect.poll(run, { timeout: 20_000 }).toMatchObject({ STATUS: 'FAILED', ERROR_CODE: code });
    expect(await logOf(receipt)).toContain(code);
  });
});

describe('a call that cannot be understood is refused at the door, alone', () => {
  const calls = [
    { what: 'a NULL table', sql: "ingest_table('PostgreSQL', 'clr', NULL)", code: 'ArgumentInvalid' },
    { what: 'an empty database', sql: "ingest_table('PostgreSQL', '', 'orders')", code: 'ArgumentInvalid' },
    {
      what: 'an unknown option',
      sql: "ingest_table('PostgreSQL', 'clr', 'single', PARSE_JSON('{\"fast\": true}'))",
      code: 'ArgumentInvalid',
    },
    {
      what: 'an unknown mode',
      sql: "ingest_table('PostgreSQL', 'clr', 'single', PARSE_JSON('{\"mode\": \"quick\"}'))",
      code: 'ArgumentInvalid',
    },
    { what: 'a table that is not configured', sql: "ingest_table('PostgreSQL', 'clr', 'no_such_table')", code: 'TableNotConfigured' },
    { what: 'a source that is not configured', sql: "ingest_table('Oracle', 'clr', 'orders')", code: 'TableNotConfigured' },
    {
      what: 'a name made to inject',
      sql: `ingest_table('PostgreSQL', 'clr', 'orders"; DROP TABLE orders; --')`,
      code: 'TableNotConfigured',
    },
  ];
  it.each(calls)('$what: $code', async ({ sql, code }) => {
    const [row] = await firn.warehouse.query(`SELECT ${sql} AS receipt`);
    expect(row!.RECEIPT).toMatchObject({ status: 'REJECTED', error: { code, message: expect.stringMatching(oneLine) } });
  });

  it('a number as table name is taken as text by Snowflake, and is not configured', async () => {
    const [row] = await firn.warehouse.query("SELECT ingest_table('PostgreSQL', 'clr', 7::VARCHAR) AS receipt");
    expect(row!.RECEIPT).toMatchObject({ status: 'REJECTED', error: { code: 'TableNotConfigured' } });
  });

  it('one bad row of a batch does not spoil the others', async () => {
    const rows = await firn.warehouse.query(
      "SELECT column1 AS t, ingest_table('PostgreSQL', 'clr', column1) AS receipt FROM (VALUES ('single'), (NULL), ('nowhere'), ('empty')) ORDER BY t",
    );
    const statuses = Object.fromEntries(rows.map(({ T, RECEIPT }) => [String(T), (RECEIPT as Receipt).status]));
    expect(statuses).toEqual({ single: 'SUCCEEDED', empty: 'SUCCEEDED', null: 'REJECTED', nowhere: 'REJECTED' });
  });

  it('a rejected call is in firn.runs', async () => {
    const [row] = await firn.warehouse.query("SELECT ingest_table('PostgreSQL', 'clr', 'never_configured') AS receipt");
    const { run_id } = row!.RECEIPT as Receipt;
    const run = async () => (await firn.warehouse.query('SELECT STATUS, ERROR_CODE FROM FIRN.RUNS WHERE RUN_ID = ?', [run_id]))[0];
    await expect.poll(run, { timeout: 20_000 }).toMatchObject({ STATUS: 'REJECTED', ERROR_CODE: 'TableNotConfigured' });
  });

  it('ingest_status and ingest_retry of an unknown run say so', async () => {
    const [row] = await firn.warehouse.query("SELECT ingest_status('01HZZZZZZZZZZZZZZZZZZZZZZZ') AS s, ingest_retry('nonsense') AS r");
    expect(row).toMatchObject({ S: { error: { code: 'RunNotFound' } }, R: { error: { code: 'RunNotFound' } } });
  });
});

async function logOf(receipt: Receipt): Promise<string> {
  const client = new S3Client({});
  const { bucket } = firn.sandbox;
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `_logs/${receipt.run_id}/` }));
  const texts = Contents.map(async ({ Key }) =>
    (await client.send(new GetObjectCommand({ Bucket: bucket, Key }))).Body!.transformToString(),
  );
  return (await Promise.all(texts)).join('');
}
