import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import getPort from 'get-port';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { awsEnvironment, startAws } from '../../../../sandbox/aws.js';
import { type Service, stopService } from '../../../../sandbox/service.js';
import { type Row, type Server, type Session, startServer } from './local.js';

let aws: Service;
let server: Server;
let session: Session;
let s3: S3Client;
const directory = mkdtempSync(join(tmpdir(), 'firn-loading-'));

/** Puts the rows of a DuckDB query as Parquet. */
async function put(key: string, sql: string): Promise<void> {
  const file = join(directory, 'file.parquet');
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(`COPY (${sql}) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`);
  connection.closeSync();
  await s3.send(new PutObjectCommand({ Bucket: 'raw', Key: key, Body: readFileSync(file) }));
}
const rows = (sql: string): Promise<Row[]> => session.query(sql);
const until = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 20_000, interval: 50 });

const copyOptions = `FILE_FORMAT = (FORMAT_NAME = 'FIRN.PARQUET_FORMAT') MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
INCLUDE_METADATA = ("_FIRN_FILE" = METADATA$FILENAME, "_FIRN_LOADED_AT" = METADATA$START_SCAN_TIME)`;
const createTable = (name: string, columns: string) =>
  session.query(`CREATE OR REPLACE TABLE ${name} (${columns}, "_FIRN_FILE" VARCHAR, "_FIRN_LOADED_AT" TIMESTAMP_NTZ(6))`);

beforeAll(async () => {
  const port = await getPort({ host: '127.0.0.1' });
  const endpoint = `http://127.0.0.1:${port}`;
  aws = await startAws(directory, port);
  server = await startServer(endpoint);
  session = await server.connect();
  const environment = awsEnvironment(endpoint);
  s3 = new S3Client({
    endpoint,
    region: environment.AWS_REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await s3.send(new CreateBucketCommand({ Bucket: 'raw' }));
  for (const sql of [
    'CREATE DATABASE DEV',
    'CREATE SCHEMA FIRN',
    "CREATE STORAGE INTEGRATION FIRN_S3 TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/x' STORAGE_ALLOWED_LOCATIONS = ('s3://raw/')",
    'CREATE FILE FORMAT FIRN.PARQUET_FORMAT TYPE = PARQUET USE_LOGICAL_TYPE = TRUE BINARY_AS_TEXT = FALSE USE_VECTORIZED_SCANNER = TRUE NULL_IF = ()',
    "CREATE STAGE FIRN.RAW_STAGE URL = 's3://raw/' STORAGE_INTEGRATION = FIRN_S3 FILE_FORMAT = (FORMAT_NAME = 'FIRN.PARQUET_FORMAT')",
  ]) {
    await session.query(sql);
  }
}, 60_000);
afterAll(async () => {
  await server?.stop();
  await stopService(aws);
  rmSync(directory, { recursive: true, force: true });
});

it('loads every value exactly, with the name of the file', async () => {
  await put(
    'Pg/clr/types/2025-11-05/12/r~20-0-a.parquet',
    `SELECT 12345678901234567890123456789012345678::DECIMAL(38,0) AS n, (-0.01)::DECIMAL(38,10) AS d, 9223372036854775807::BIGINT AS i,
 'nan'::DOUBLE AS nan, '-infinity'::DOUBLE AS inf, 1.5::FLOAT AS f, TRUE AS b, DATE '0001-01-01' AS da, TIME '23:59:59.999999' AS ti,
 TIMESTAMP '1969-12-31 23:59:59.999999' AS ntz, TIMESTAMPTZ '2024-07-01 12:00:00.123456+02' AS tz, '\\xDE\\xAD'::BLOB AS bi, 'é "''\\N' AS s, '\\N' AS nothing, NULL::VARCHAR AS missing, 1 AS not_in_table
 UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2`,
  );
  await createTable(
    'TYPES',
    '"N" NUMBER(38,0), D NUMBER(38,10), I NUMBER(38,0), NAN FLOAT, INF FLOAT, F FLOAT, B BOOLEAN, DA DATE, TI TIME(6), NTZ TIMESTAMP_NTZ(6), TZ TIMESTAMP_TZ(6), BI BINARY, S VARCHAR, NOTHING VARCHAR, MISSING VARCHAR, NOT_IN_FILE VARCHAR',
  );
  await session.query("ALTER SESSION SET TIMEZONE = 'America/Los_Angeles'");
  expect(await rows(`COPY INTO TYPES FROM @FIRN.RAW_STAGE/Pg/clr/types/ ${copyOptions}`)).toMatchObject([
    { status: 'LOADED', rows_parsed: 2, rows_loaded: 2 },
  ]);
  await session.query("ALTER SESSION SET TIMEZONE = 'UTC'");
  expect(
    await rows(`SELECT TO_VARCHAR(N) AS N, TO_VARCHAR(D) AS D, TO_VARCHAR(I) AS I, TO_VARCHAR(NAN) AS NAN, TO_VARCHAR(INF) AS INF, F, B, TO_VARCHAR(DA) AS DA, TO_VARCHAR(TI) AS TI,
TO_VARCHAR(NTZ, 'YYYY-MM-DD HH24:MI:SS.FF6') AS NTZ, TO_VARCHAR(CONVERT_TIMEZONE('UTC', TZ)::TIMESTAMP_NTZ, 'YYYY-MM-DD HH24:MI:SS.FF6') AS TZ, BI::VARCHAR AS BI, S, NOTHING, NOT_IN_FILE, "_FIRN_FILE" AS FILE
FROM TYPES WHERE N IS NOT NULL`),
  ).toEqual([
    {
      N: '12345678901234567890123456789012345678', D: '-0.0100000000', I: '9223372036854775807', NAN: 'NaN', INF: '-inf', F: 1.5, B: true, DA: '0001-01-01', TI: '23:59:59.999999',
      NTZ: '1969-12-31 23:59:59.999999', TZ: '2024-07-01 10:00:00.123456', BI: 'DEAD', S: 'é "\'\\N', NOTHING: '\\N', NOT_IN_FILE: null, FILE: 'Pg/clr/types/2025-11-05/12/r~20-0-a.parquet',
    },
  ]); // biome-ignore format: one row
  expect(
    await rows(
      'SELECT COUNT(*) AS N FROM TYPES WHERE COALESCE(N, D, I, NAN, INF, F) IS NULL AND COALESCE(S, NOTHING) IS NULL AND NTZ IS NULL AND TZ IS NULL AND BI IS NULL',
    ),
  ).toEqual([{ N: 1 }]);
});

it('loads a file once, unless forced; FILES and PATTERN choose', async () => {
  await createTable('ONCE', 'I NUMBER');
  for (const name of ['a', 'b', 'c']) await put(`once/${name}.parquet`, `SELECT ${name.charCodeAt(0)} AS i`);
  const copy = (more: string) => rows(`COPY INTO ONCE FROM @FIRN.RAW_STAGE/once/ ${copyOptions} ${more}`);
  expect(await copy("FILES = ('a.parquet')")).toMatchObject([{ file: 's3://raw/once/a.parquet', rows_loaded: 1 }]);
  expect(await copy("PATTERN = '.*[ab][.]parquet'")).toMatchObject([{ file: 's3://raw/once/b.parquet' }]);
  expect(await copy('')).toMatchObject([{ file: 's3://raw/once/c.parquet' }]);
  expect(await copy('')).toEqual([{ status: 'Copy executed with 0 files processed.' }]);
  expect(await copy('FORCE = TRUE')).toHaveLength(3);
  await expect(copy("FILES = ('nowhere.parquet')")).rejects.toThrow('was not found');
  expect(await rows('SELECT COUNT(*) AS N FROM ONCE')).toEqual([{ N: 6 }]);
});

it('loads a file once also when two sessions load it at the same time', async () => {
  await createTable('RACE', 'I NUMBER');
  await put('race/a.parquet', 'SELECT range AS i FROM range(1000)');
  const sessions = await Promise.all([1, 2, 3, 4].map(() => server.connect({ database: 'DEV', schema: 'FIRN' })));
  await Promise.all(sessions.map((one) => one.query(`COPY INTO RACE FROM @FIRN.RAW_STAGE/race/ ${copyOptions}`)));
  expect(await rows('SELECT COUNT(*) AS N FROM RACE')).toEqual([{ N: 1000 }]);
});

it.each([
  ['text that is no number', 'I NUMBER(38,0)', "'abc' AS i", "Numeric value 'abc' is not recognized"],
  ['a number that is too great', 'I NUMBER(5,2)', '1000.5::DECIMAL(12,2) AS i', 'out of representable range'],
  ['text that is too long', 'I VARCHAR(3)', "'abcd' AS i", "User character length limit (3) exceeded by string 'abcd'"],
  ['text that is no timestamp', 'I TIMESTAMP_NTZ', "'yesterday' AS i", "Timestamp 'yesterday' is not recognized"],
  ['an unsigned number beyond 2^63', 'I NUMBER(38,0)', '18446744073709551615::UBIGINT AS i', 'Invalid unsigned 64 bit integer'],
  ['text for BINARY', 'I BINARY', "'x' AS i", 'does not match column data type'],
  ['NULL where there must be a value', 'I NUMBER NOT NULL', 'NULL::BIGINT AS i', 'NULL result in a non-nullable column'],
])('refuses %s as a load error that the history shows', async (_, column, value, message) => {
  await createTable('REFUSED', column);
  const prefix = `refused/${Math.random()}/`;
  await put(`${prefix}a.parquet`, 'SELECT 1 AS other');
  await put(`${prefix}b.parquet`, `SELECT ${value}`);
  const nullable = !column.includes('NOT NULL');
  await expect(rows(`COPY INTO REFUSED FROM @FIRN.RAW_STAGE/${prefix} ${copyOptions} ON_ERROR = ABORT_STATEMENT`)).rejects.toThrow(message);
  expect(await rows('SELECT COUNT(*) AS N FROM REFUSED')).toEqual([{ N: 0 }]);
  expect(await rows(`COPY INTO REFUSED FROM @FIRN.RAW_STAGE/${prefix} ${copyOptions} ON_ERROR = SKIP_FILE`)).toMatchObject([
    { status: nullable ? 'LOADED' : 'LOAD_FAILED' },
    { status: 'LOAD_FAILED', rows_loaded: 0, first_error: expect.stringContaining(message) },
  ]);
  const history = await rows(
    `SELECT file_name AS F, status AS S, first_error_message AS M FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 'REFUSED', START_TIME => DATEADD(HOURS, -1, CURRENT_TIMESTAMP()))) WHERE file_name = 'b.parquet' ORDER BY last_load_time DESC LIMIT 1`,
  );
  expect(history).toEqual([{ F: 'b.parquet', S: 'Load failed', M: expect.stringContaining(message) }]);
});

it('refuses the file formats that Snowflake would misread', async () => {
  await createTable('MISREAD', 'T TIMESTAMP_NTZ, B BINARY');
  await put('misread/t/a.parquet', "SELECT TIMESTAMP '2024-01-01 00:00:00' AS t");
  await put('misread/b/a.parquet', "SELECT 'x'::BLOB AS b");
  const copy = (what: string) =>
    rows(`COPY INTO MISREAD FROM @FIRN.RAW_STAGE/misread/${what}/ FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE`);
  await expect(copy('t')).rejects.toThrow('USE_LOGICAL_TYPE');
  await expect(copy('b')).rejects.toThrow('BINARY_AS_TEXT');
});

it('lets a pipe load what comes into the bucket, once, and shows its state', async () => {
  await createTable('PIPED', 'I NUMBER');
  await createTable('PIPED_ARCHIVE', 'I NUMBER');
  const pipe = (table: string) =>
    `CREATE PIPE IF NOT EXISTS ${table}_PIPE AUTO_INGEST = TRUE AS COPY INTO FIRN.${table} FROM '@FIRN.RAW_STAGE/${table.toLowerCase()}/' ${copyOptions} ON_ERROR = SKIP_FILE`;
  await session.query(pipe('PIPED'));
  await session.query(pipe('PIPED_ARCHIVE'));
  expect(await rows(pipe('PIPED'))).toEqual([{ status: 'PIPED_PIPE already exists, statement succeeded.' }]);
  const [shown] = await until(async () => {
    const found = await rows("SHOW PIPES LIKE 'PIPED_PIPE' IN SCHEMA FIRN");
    expect(found).toMatchObject([
      {
        name: 'PIPED_PIPE',
        schema_name: 'FIRN',
        notification_channel: expect.stringMatching(/^arn:aws:sqs:us-east-1:\d{12}:sf-snowpipe-local$/),
      },
    ]);
    return found;
  });
  await put('piped/before.parquet', 'SELECT 0 AS i');
  await until(() =>
    s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: 'raw',
        NotificationConfiguration: {
          QueueConfigurations: [{ QueueArn: String(shown?.notification_channel), Events: ['s3:ObjectCreated:*'] }],
        },
      }),
    ),
  );
  const loaded = (table: string) => rows(`SELECT I, "_FIRN_FILE" AS F FROM ${table} ORDER BY I`);

  await put('piped/1~20.parquet', 'SELECT 1 AS i');
  await put('piped_archive/2.parquet', 'SELECT 2 AS i');
  await until(async () => expect(await loaded('PIPED')).toEqual([{ I: 1, F: 'piped/1~20.parquet' }]));
  await until(async () => expect(await loaded('PIPED_ARCHIVE')).toEqual([{ I: 2, F: 'piped_archive/2.parquet' }]));

  expect(await rows("ALTER PIPE PIPED_PIPE REFRESH PREFIX = 'bef'")).toEqual([{ File: 's3://raw/piped/before.parquet', Status: 'SENT' }]);
  await until(async () => expect(await loaded('PIPED')).toHaveLength(2));
  expect(await rows('ALTER PIPE PIPED_PIPE REFRESH')).toEqual([]);

  const status = async () => JSON.parse(String((await rows("SELECT SYSTEM$PIPE_STATUS('DEV.FIRN.PIPED_PIPE') AS S"))[0]?.S));
  await session.query('ALTER PIPE PIPED_PIPE SET PIPE_EXECUTION_PAUSED = TRUE');
  await put('piped/3.parquet', 'SELECT 3 AS i');
  await put('piped_archive/4.parquet', 'SELECT 4 AS i');
  await until(async () => expect(await loaded('PIPED_ARCHIVE')).toHaveLength(2));
  expect(await status()).toMatchObject({ executionState: 'PAUSED', pendingFileCount: 1 });
  expect(await loaded('PIPED')).toHaveLength(2);
  await session.query('ALTER PIPE PIPED_PIPE SET PIPE_EXECUTION_PAUSED = FALSE');
  await until(async () => expect(await loaded('PIPED')).toHaveLength(3));
  await until(async () => expect(await status()).toMatchObject({ executionState: 'RUNNING', pendingFileCount: 0 }));

  await put('piped/5.parquet', "SELECT 'x' AS i");
  await until(async () =>
    expect(
      await rows(
        "SELECT status AS S, pipe_name AS P FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 'FIRN.PIPED', START_TIME => DATEADD(HOUR, -1, CURRENT_TIMESTAMP()))) WHERE file_name = '5.parquet'",
      ),
    ).toEqual([{ S: 'Load failed', P: 'PIPED_PIPE' }]),
  );

  await server.restart();
  session = await server.connect({ database: 'DEV', schema: 'FIRN' });
  await put('piped/6.parquet', 'SELECT 6 AS i');
  await until(async () => expect(await loaded('PIPED')).toHaveLength(4));
  expect(await rows('ALTER PIPE PIPED_PIPE REFRESH')).toMatchObject([{ File: 's3://raw/piped/5.parquet' }]);
});

it('writes a query to the bucket', async () => {
  await session.query('CREATE OR REPLACE TABLE EXPORTED AS SELECT 1 AS ID, \'a\' AS "Name"');
  expect(await rows('COPY INTO @FIRN.RAW_STAGE/export/x FROM (SELECT * FROM EXPORTED) HEADER = TRUE')).toMatchObject([
    { rows_unloaded: 1 },
  ]);
  await expect(rows('COPY INTO @FIRN.RAW_STAGE/export/x FROM EXPORTED')).rejects.toThrow('Files already existing');
  await expect(rows('COPY INTO @FIRN.RAW_STAGE/export/y FROM (SELECT CURRENT_TIMESTAMP() AS T)')).rejects.toThrow(
    'not supported for unloading to Parquet',
  );
  expect(await rows('LIST @FIRN.RAW_STAGE/export/')).toMatchObject([{ name: 's3://raw/export/x_0_0_0.snappy.parquet' }]);
  await session.query('REMOVE @FIRN.RAW_STAGE/export/');
  expect((await s3.send(new ListObjectsV2Command({ Bucket: 'raw', Prefix: 'export/' }))).KeyCount).toBe(0);
});
