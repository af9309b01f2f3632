import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodes } from '../../../cli/exit-codes.js';
import { diffConfig } from '../../../core/config/diff.js';
import { parseConfig } from '../../../core/config/load.js';
import { writeChanges } from '../../../core/config/store.js';
import { awsEnvironment } from '../../../sandbox/aws.js';
import { type LocalAws, localAws, nodeFunction } from '../sandbox/local-aws.js';
import { type LocalSnowflake, startLocalSnowflake } from '../sql/local-snowflake.js';
import { firn } from './run-firn.js';

const run = { done: '01JBX7Q3M9C5V2KD8R4T6W0YZA', failed: '01JBX7Q3M9C5V2KD8R4T6W0YZB', unknown: '01JBX7Q3M9C5V2KD8R4T6W0YZC' };

/** States as those of `ingest`, one of them in a Map; a run of `payments` fails in Seal. */
const workflow = {
  StartAt: 'Acquire',
  States: {
    Acquire: { Type: 'Pass', Next: 'Extract' },
    Extract: {
      Type: 'Map',
      ItemsPath: '$.chunks',
      ItemProcessor: { StartAt: 'ExtractChunk', States: { ExtractChunk: { Type: 'Wait', Seconds: 1, End: true } } },
      ResultPath: null,
      Next: 'Seal',
    },
    Seal: { Type: 'Choice', Choices: [{ Variable: '$.table', StringEquals: 'payments', Next: 'Lost' }], Default: 'Done' },
    Lost: { Type: 'Fail', Error: 'SourceConnectionLost' },
    Done: { Type: 'Succeed' },
  },
};

/** Stands in for the function `start`: knows one run that succeeds and one that fails, and when their executions are over. */
const start = `
const runs = ${JSON.stringify(run)};
const execution = (id) => process.env.MACHINE.replace(':stateMachine:', ':execution:') + ':' + id;
const calls = {};
const receipt = (id, table, over) => ({
  run_id: id, status: !over ? 'RUNNING' : table === 'payments' ? 'FAILED' : 'SUCCEEDED', source: 'PostgreSQL', database: 'clr', table,
  mode: 'full', joined: false, rows_read: over ? 20000 : null, seconds: over ? 1.25 : null, warnings: [], log: 's3://bucket/_logs/' + id + '/',
  execution_arn: execution(id), watermark_before: null, watermark_after: null, held_back_by: null, read_as_of: null,
  error: over && table === 'payments' ? { code: 'SourceConnectionLost', message: 'the connection was closed', action: 'Redrive the run.' } : null,
});
const rejected = (table, code, message) => ({ ...receipt(runs.unknown, table, true), status: 'REJECTED', execution_arn: null, error: { code, message, action: 'Add the table.' } });
exports.handler = async ({ path, body }) => {
  const data = JSON.parse(body).data.map(([number, ...args]) => {
    if (path === '/ingest') {
      const table = args[2];
      if (!['orders', 'payments'].includes(table)) return [number, rejected(table, 'TableNotConfigured', table + ' is not configured')];
      return [number, receipt(table === 'orders' ? runs.done : runs.failed, table, false)];
    }
    const id = args[0];
    if (id === runs.unknown) return [number, { run_id: id, status: 'REJECTED', error: { code: 'RunNotFound', message: 'There is no run ' + id + '.' } }];
    return [number, receipt(id, id === runs.done ? 'orders' : 'payments', true)];
  });
  return { statusCode: 200, body: JSON.stringify({ data }) };
};`;

let aws: LocalAws;
let snowflake: LocalSnowflake;
let outputs: Record<string, string>;
let env: Record<string, string>;

beforeAll(async () => {
  [aws, snowflake] = await Promise.all([localAws(), startLocalSnowflake()]);
  const secret = { Name: 'firn/test/snowflake', SecretString: JSON.stringify(snowflake.secret) };
  await new SecretsManagerClient(aws.client).send(new CreateSecretCommand(secret));
  const key = (name: string, type: string) => ({
    AttributeName: name,
    [type]: type === 'KeyType' ? (name === 'pk' ? 'HASH' : 'RANGE') : 'S',
  });
  const resources = {
    Config: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [key('pk', 'KeyType'), key('sk', 'KeyType')],
        AttributeDefinitions: [key('pk', 'AttributeType'), key('sk', 'AttributeType')],
      },
    },
    Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'firn-cli-raw' } },
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineName: 'firn-test-ingest',
        RoleArn: 'arn:aws:iam::000000000000:role/none',
        DefinitionString: JSON.stringify(workflow),
      },
    },
    ...nodeFunction('Start', start, { MACHINE: { Ref: 'Machine' } }),
  } as Record<string, { Properties: Record<string, unknown> }>;
  resources.Start!.Properties.FunctionName = 'firn-test-start';
  outputs = await aws.deploy('firn-test', resources, {
    TableConfig: { Ref: 'Config' },
    RawBucket: { Ref: 'Bucket' },
    IngestStateMachineArn: { Ref: 'Machine' },
  });
  env = awsEnvironment(aws.endpoint);
});
afterAll(() => Promise.all([aws?.stop(), snowflake?.stop()]));

const inTest = (...args: string[]) => firn([...args, '--env', 'test'], env);
const sfn = () => new SFNClient(aws.client);
const started = (name: string, table: string) =>
  sfn().send(
    new StartExecutionCommand({ stateMachineArn: outputs.IngestStateMachineArn, name, input: JSON.stringify({ table, chunks: [0, 1] }) }),
  );

describe('an environment (local AWS)', () => {
  it('is the stack of its name', async () => {
    const { exit, stderr } = await firn(['status', '--env', 'nowhere'], env);
    expect(exit).toBe(exitCodes.usage);
    expect(stderr).toContain('EnvironmentMissing  there is no stack firn-nowhere in region us-east-1');
  });

  it('is the sandbox when it is up and none is named, whatever the profile', async () => {
    const sandbox = await mkdtemp(join(tmpdir(), 'firn-sandbox-'));
    writeFileSync(join(sandbox, 'state.json'), JSON.stringify({ environment: 'test', aws: { endpoint: aws.endpoint } }));
    const theirs = { AWS_PROFILE: 'production', AWS_REGION: 'eu-west-1', AWS_SESSION_TOKEN: 'theirs', FIRN_SANDBOX_DIR: sandbox };
    expect(await firn(['config', 'push', '--dry-run'], theirs)).toMatchObject({ exit: exitCodes.ok });
  });
});

describe('firn config push (local AWS, local Snowflake)', () => {
  const source = (tables: string) => `sources: [{ source: PostgreSQL, database: clr, type: postgres, tables: [${tables}] }]`;

  beforeAll(async () => {
    const documents = DynamoDBDocumentClient.from(new DynamoDBClient(aws.client), { marshallOptions: { removeUndefinedValues: true } });
    const before = parseConfig([{ file: 'tables.yaml', text: source('{ table: orders }, { table: nobody_names_it }') }]);
    const changes = diffConfig(new Map(), before, 'remove');
    await writeChanges({ documents, table: outputs.TableConfig! }, new Map(), before, changes, () => 0);
  });

  it('--dry-run shows what differs, key by key, and pushes nothing', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'firn-config-')), 'orders.yaml');
    writeFileSync(file, source('{ table: orders, deletes: soft, row_filter: "a > 1" }, { table: payments }'));
    const { stdout } = await inTest('config', 'push', '--dry-run', file);
    expect(stdout.split('\n')).toEqual([
      '~ PostgreSQL/clr/orders',
      '    deletes: "hard" → "soft"',
      '    row_filter: "a > 1"',
      '+ PostgreSQL/clr/payments',
      '    mode: "full"',
      'Nothing was pushed: --dry-run',
    ]);
    const { pushed, changes } = JSON.parse((await inTest('config', 'push', '--dry-run', file, '--json')).stdout);
    expect({ pushed, changes: changes.length }).toEqual({ pushed: false, changes: 2 });
  });

  it('makes the tables of config/ count for `firn sql`, once', async () => {
    const { exit, stdout } = await inTest('config', 'push');
    expect(exit).toBe(exitCodes.ok);
    expect(stdout).toContain('- PostgreSQL/clr/nobody_names_it');
    expect(stdout).toMatch(/\npushed to test$/);
    const again = JSON.parse((await inTest('config', 'push', '--json')).stdout);
    expect(again).toEqual({ environment: 'test', pushed: true, changes: [], exports: [], recorded: 0 });

    const statement = "SELECT table_name, version, cursor_column FROM tables WHERE table_name IN ('orders', 'planes') ORDER BY table_name";
    expect((await inTest('sql', statement)).stdout.split('\n')).toEqual([
      'TABLE_NAME  VERSION  CURSOR_COLUMN',
      'orders            2  updated_at',
      'planes            2  NULL',
      '2 rows',
    ]);
    expect(JSON.parse((await inTest('sql', statement, '--json')).stdout)[1]).toEqual({
      TABLE_NAME: 'planes',
      VERSION: 2,
      CURSOR_COLUMN: null,
    });
  });
});

describe('firn sql (local AWS, local Snowflake)', () => {
  it('a statement that fails ends with 1', async () => {
    const { exit, stdout, stderr } = await inTest('sql', 'SELECT * FROM no_such_table');
    expect({ exit, stdout }).toEqual({ exit: exitCodes.failed, stdout: '' });
    expect(stderr).toMatch(/^Warehouse\w+ .*NO_SUCH_TABLE.*\n→ Check the names in the statement/i);
  });

  const values = `SELECT 6094901305542009059 AS a, 1.50::NUMBER(10,2) AS b, '2025-11-05'::DATE AS c, '00123' AS d, 'NaN'::FLOAT AS e, NULL AS f,
    '1969-12-31 23:59:59.123456'::TIMESTAMP_NTZ(6) AS g, '2025-11-05 12:00:00.000001 +00:00'::TIMESTAMP_TZ(6) AS h, 2 AS a`;

  it('shows every digit of numbers and times', async () => {
    expect((await inTest('sql', values)).stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'A'],
      [
        '6094901305542009059',
        '1.50',
        '2025-11-05',
        '00123',
        'NaN',
        'NULL',
        '1969-12-31T23:59:59.123456',
        '2025-11-05T12:00:00.000001Z',
        '2',
      ],
      ['1 row'],
    ]);
  });

  it('--json too, with both columns of a name', async () => {
    const { stdout } = await inTest('sql', values, '--json');
    expect(stdout).toContain('"A": 6094901305542009059,');
    expect(JSON.parse(stdout)).toMatchObject([{ B: 1.5, C: '2025-11-05', D: '00123', E: 'NaN', F: null, A_2: 2 }]);
  });

  it('shows the first rows of many', async () => {
    const lines = (await inTest('sql', 'SELECT seq4() AS n FROM TABLE(GENERATOR(ROWCOUNT => 200000))')).stdout.split('\n');
    expect([lines.length, lines.at(-1)]).toEqual([1002, '200,000 rows; the first 1,000 are shown, --json prints all']);
  });
});

describe('firn ingest and status (local AWS, the function start a stand-in)', () => {
  it('follows the executions and ends with a table of receipts, 1 when one failed', async () => {
    await Promise.all([started(run.done, 'orders'), started(run.failed, 'payments')]);
    const { exit, stdout, stderr } = await inTest('ingest', 'PostgreSQL', 'clr', 'orders', 'payments');
    expect(exit).toBe(exitCodes.failed);
    expect(stdout).toMatch(/PostgreSQL\/clr\/orders +SUCCEEDED +full +20,000 .* 1\.3 +01JBX7Q3M9C5V2KD8R4T6W0YZA/);
    expect(stdout).toMatch(/PostgreSQL\/clr\/payments +FAILED/);
    expect(stdout).toContain('SourceConnectionLost  payments: the connection was closed\n→ Redrive the run.');
    for (const step of ['orders: Extract done', 'orders: Seal done', 'payments: Seal done', 'payments: Lost stopped']) {
      expect(stderr).toMatch(new RegExp(`^${step} after \\d`, 'm'));
    }
    expect(stderr).not.toContain('ExtractChunk');
  });

  it('--json answers the receipts', async () => {
    const { exit, stdout } = await inTest('ingest', 'PostgreSQL', 'clr', 'orders', '--json');
    expect(exit).toBe(exitCodes.ok);
    expect(JSON.parse(stdout)).toMatchObject([{ run_id: run.done, status: 'SUCCEEDED', rows_read: 20000 }]);
  });

  it('ends with 2 when nothing could be started', async () => {
    const { exit, stdout } = await inTest('ingest', 'PostgreSQL', 'clr', 'order');
    expect(exit).toBe(exitCodes.usage);
    expect(stdout).toContain('TableNotConfigured  order: order is not configured\n→ Add the table.');
  });

  it('status lists the runs, and shows the steps of one', async () => {
    const list = await inTest('status');
    expect(list.exit).toBe(exitCodes.ok);
    expect(list.stdout).toContain(run.done);
    expect(list.stdout).toContain(run.failed);
    const one = await inTest('status', run.failed);
    expect(one.exit).toBe(exitCodes.failed);
    expect(one.stdout).toMatch(/steps +Acquire \d\.\d s, Extract \d\.\d s/);
    expect(one.stdout).toContain(`s3://bucket/_logs/${run.failed}/`);
    const { steps } = JSON.parse((await inTest('status', run.done, '--json')).stdout);
    expect(steps[0]).toMatchObject({ name: 'Acquire', state: 'done' });
  });

  it.each(['status', 'retry'])('%s of an unknown run is an error with what to do', async (command) => {
    const { exit, stderr } = await inTest(command, run.unknown);
    expect(exit).toBe(exitCodes.usage);
    expect(stderr).toContain(`RunNotFound  There is no run ${run.unknown}.\n→ `);
  });
});

describe('firn logs (local AWS)', () => {
  it('prints the lines of all steps in the order of time, control characters made visible', async () => {
    const s3 = new S3Client({ ...aws.client, forcePathStyle: true });
    const line = (time: string, fields: object) =>
      `${JSON.stringify({ level: 'info', time, run_id: run.done, source: 'PostgreSQL', table: 'orders', ...fields })}\n`;
    const put = (name: string, Body: string) =>
      s3.send(new PutObjectCommand({ Bucket: 'firn-cli-raw', Key: `_logs/${run.done}/${name}.jsonl`, Body }));
    await put('b', line('2025-11-05T12:00:01.000Z', { msg: 'planned', chunks: 1 }));
    await put('a', line('2025-11-05T12:00:02.000Z', { msg: 'read \u001b[31mrows', rows: 3 }));
    const { exit, stdout } = await inTest('logs', run.done);
    expect(exit).toBe(exitCodes.ok);
    expect(stdout).toBe('2025-11-05T12:00:01.000Z  info   planned  chunks=1\n2025-11-05T12:00:02.000Z  info   read \\x1b[31mrows  rows=3');
  });

  it('says when there is none', async () => {
    const { exit, stderr } = await inTest('logs', run.unknown);
    expect(exit).toBe(exitCodes.usage);
    expect(stderr).toContain('RunNotFound');
  });
});
