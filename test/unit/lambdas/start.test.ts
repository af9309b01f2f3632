import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sourceItem, tableItem } from '../../../core/config/items.js';
import { sourceConfigSchema } from '../../../core/config/schema.js';
import { stepFunctions } from '../../../core/state/executions.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';
import { createBucket, createFunction, createStateMachine } from './local-functions.js';

let aws: LocalAws;
let start: typeof import('../../../lambdas/start/handler.js');
let stateMachineArn: string;

const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 29_000 };

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  aws = await startLocalAws();
  await createStateTable('state');
  const documents = await createStateTable('configs');
  await createBucket('raw');
  await createFunction('plan');
  await createFunction('warehouse');
  stateMachineArn = await createStateMachine('ingest', { Type: 'Wait', Seconds: 86_400, End: true });
  Object.assign(process.env, {
    RUNTIME_STATE: 'state',
    TABLE_CONFIG: 'configs',
    RAW_BUCKET: 'raw',
    INGEST_STATE_MACHINE_ARN: stateMachineArn,
    EXPORT_STATE_MACHINE_ARN: stateMachineArn,
    EXPORTS_BUCKET: 'exports',
    PLAN_FUNCTION: 'plan',
    WAREHOUSE_FUNCTION: 'warehouse',
  });
  const { tables, ...settings } = sourceConfigSchema.parse({
    source: 'PostgreSQL',
    database: 'clr',
    type: 'postgres',
    tables: [{ table: 'orders' }],
  });
  for (const Item of [sourceItem(settings, 1), tableItem('PostgreSQL', 'clr', tables[0]!, 1)]) {
    await documents.send(new PutCommand({ TableName: 'configs', Item }));
  }
  start = await import('../../../lambdas/start/handler.js');
});
afterAll(() => aws.stop());

async function post(path: string, ...args: unknown[]): Promise<{ statusCode: number; value: Record<string, unknown> }> {
  const headers = { 'sf-external-function-current-query-id': ulid(), 'sf-external-function-query-batch-id': ulid() };
  const request = { httpMethod: 'POST', path: `/prod/${path}`, headers, body: JSON.stringify({ data: [[0, ...args]] }) };
  const { statusCode, body } = await start.handler(request, context);
  return { statusCode, value: statusCode === 200 ? JSON.parse(body).data[0][1] : JSON.parse(body || 'null') };
}

describe('start (all of AWS local)', () => {
  it('starts an execution, and says what has become of it', async () => {
    const { value: running } = await post('ingest', 'PostgreSQL', 'clr', 'orders', { wait: false });
    expect(running).toMatchObject({ status: 'RUNNING', mode: 'full', log: `s3://raw/_logs/${running.run_id}/` });
    await new SFNClient({}).send(new StopExecutionCommand({ executionArn: running.execution_arn as string, cause: 'maintenance' }));
    const { value: stopped } = await post('status', running.run_id);
    expect(stopped).toMatchObject({ run_id: running.run_id, status: 'FAILED', error: { code: 'Aborted' } });
  });

  it('rejects what is not configured, and invokes the functions that it names', async () => {
    expect(await post('ingest', 'PostgreSQL', 'clr', 'nothing')).toMatchObject({
      statusCode: 200,
      value: { error: { code: 'TableNotConfigured' } },
    });
    expect(await post('plan', 'PostgreSQL', 'clr', 'orders')).toEqual({ statusCode: 200, value: {} });
  });
});

describe('executions (Step Functions local)', () => {
  const started = async () => {
    const executions = stepFunctions(new SFNClient({}), stateMachineArn);
    const name = ulid();
    await executions.start(name, { runId: name });
    return { executions, name, arn: executions.arn(name) };
  };

  it('are alive until they end, and named before they start', async () => {
    const { executions, arn } = await started();
    expect(await executions.describe(arn)).toMatchObject({ liveness: 'alive', redriveCount: 0, attemptStartedAt: expect.any(Date) });
    await new SFNClient({}).send(new StopExecutionCommand({ executionArn: arn, error: 'e', cause: 'c' }));
    expect(await executions.describe(arn)).toMatchObject({ liveness: 'failed', status: 'ABORTED' });
  });

  it('count as started when they are started again, running or ended', async () => {
    const { executions, name, arn } = await started();
    await executions.start(name, { runId: name });
    await new SFNClient({}).send(new StopExecutionCommand({ executionArn: arn }));
    await executions.start(name, { runId: name });
    expect(await executions.describe(arn)).toMatchObject({ liveness: 'failed' });
  });

  it('are missing when nobody started them', async () => {
    const executions = stepFunctions(new SFNClient({}), stateMachineArn);
    expect(await executions.describe(executions.arn(ulid()))).toMatchObject({ liveness: 'missing', status: null });
  });
});
