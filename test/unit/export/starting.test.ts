import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { note } from '../../../core/export/note.js';
import { pick } from '../../../core/export/pick.js';
import { readItem, setItem } from '../../../core/export/record.js';
import type { ExportConfig } from '../../../core/export/schema.js';
import { exportConfigSchema } from '../../../core/export/schema.js';
import { writeSets } from '../../../core/export/store.js';
import type { ExportSummary } from '../../../core/export/summary.js';
import { createLog } from '../../../core/log.js';
import { answer } from '../../../core/start/answers.js';
import type { StartContext } from '../../../core/start/context.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';

let aws: LocalAws;
let documents: Awaited<ReturnType<typeof createStateTable>>;
let executions: ExecutionsDouble;
let context: StartContext;
/** A set of its own for each test. */
let name: string;

const configs = (...tables: string[]): ExportConfig[] =>
  tables.map((table) => exportConfigSchema.parse({ table, s3_path: `exports/${table}` }));

const push = (exports: ExportConfig[]) => {
  const set = { name, path: `config/exports/${name}.yaml`, exports };
  return writeSets(context.configs, [set], [{ change: 'changed', name, exports: exports.length }]);
};

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  aws = await startLocalAws();
  documents = await createStateTable('state');
  await createStateTable('configs');
});
afterAll(() => aws.stop());

beforeEach(async () => {
  executions = new ExecutionsDouble();
  const [state, store] = [
    { documents, table: 'state', executions },
    { documents, table: 'configs' },
  ];
  context = {
    state,
    configs: store,
    exports: { state, configs: store, executions, bucket: 'exports' },
    waitLimit: 60_000,
    log: createLog({}),
  } as unknown as StartContext;
  name = `set${randomUUID()}`;
  await push(configs('A', 'B', 'C'));
});

/** As Snowflake posts: the same ids for the same call. */
const request = (method: string, path: string, call: string, rows: unknown[][]) =>
  answer(context, {
    httpMethod: method,
    path: `/${path}`,
    headers: { 'sf-external-function-current-query-id': call, 'sf-external-function-query-batch-id': call },
    body: JSON.stringify({ data: rows.map((row, index) => [index, ...row]) }),
  });
const post = (args: unknown[], call = randomUUID()) => request('POST', 'export', call, [args]);
const summaryIn = ({ body }: { body: string }): ExportSummary => JSON.parse(body).data[0][1];
/** Starts the set and does not wait. */
const start = async (options = {}) => summaryIn(await post([name, { wait: false, ...options }]));
/** What the steps do, as far as the record is concerned. */
const end = (exportId: string, index: number, fields: object) => setItem(context.state, exportId, index, fields);
const exporting = () => ({ ...context, exports: { client: { send: async () => ({}) }, bucket: 'exports' } }) as never;

describe('a call of export_tables', () => {
  it.each([
    ['its name', () => name],
    ['the path with which it was pushed', () => `config/exports/${name}.yaml`],
    ['that path from here', () => `./config/exports/${name}.yaml`],
  ])('finds the set by %s', async (_, argument) => {
    const summary = summaryIn(await post([argument(), { wait: false }]));
    expect(summary).toMatchObject({ name, status: 'RUNNING', joined: false });
    expect(summary.exports.map(({ table, done }) => [table, done])).toEqual([['A', '…'], ['B', '…'], ['C', '…']]); // biome-ignore format: pairs
    expect(executions.started).toEqual([{ name: summary.export_id, input: { exportId: summary.export_id, exports: [0, 1, 2] } }]);
  });

  it.each([
    ['a name that was not pushed', () => ['nothing'], 'ExportNotConfigured'],
    ['another path', () => [`elsewhere/${name}.yaml`], 'ExportNotConfigured'],
    ['no name', () => [null], 'ArgumentInvalid'],
    ['an option that there is not', () => [name, { full: true }], 'ArgumentInvalid'],
  ])('with %s is its row’s answer', async (_, args, code) => {
    const answered = await post(args());
    expect(answered.statusCode).toBe(200);
    expect(summaryIn(answered)).toMatchObject({ status: 'REJECTED', error: { code } });
    expect(executions.started).toEqual([]);
  });

  it('may choose some of the exports', async () => {
    expect((await start({ only: ['C', 'A'] })).exports.map(({ table }) => table)).toEqual(['A', 'C']);
    expect((await start({ only: ['D'] })).error).toMatchObject({
      code: 'ExportNotConfigured',
      message: expect.stringContaining('no table D'),
    });
  });

  it('that Snowflake repeats starts nothing twice', async () => {
    const call = randomUUID();
    const repeated = [(await post([name], call)).statusCode, (await post([name], call)).statusCode];
    expect(repeated).toEqual([202, 202]);
    // Also when it has ended meanwhile.
    executions.set(executions.started[0]!.name, 'succeeded');
    await post([name], call);
    expect(executions.started).toHaveLength(1);
  });

  it('joins the same exports under way, and starts others', async () => {
    const first = await start();
    expect(await start()).toMatchObject({ export_id: first.export_id, joined: true });
    expect((await start({ only: ['A'] })).export_id).not.toBe(first.export_id);
    executions.set(first.export_id, 'succeeded');
    const next = await start();
    expect(next.joined).toBe(false);
    expect(next.export_id).not.toBe(first.export_id);
  });

  it('answers 202 until all have ended, then a summary', async () => {
    const call = randomUUID();
    expect((await post([name], call)).statusCode).toBe(202);
    expect((await request('GET', 'export', call, [])).statusCode).toBe(202);
    const { name: exportId } = executions.started[0]!;
    for (const index of [0, 1, 2]) await end(exportId, index, { status: 'SUCCEEDED', rows: 5, bytes: 100, files: 1 });
    await pick(exporting(), exportId, 0);
    const answered = await request('GET', 'export', call, []);
    expect(answered.statusCode).toBe(200);
    expect(summaryIn(answered)).toMatchObject({
      status: 'SUCCEEDED',
      exports: [{ done: '✓', rows: 5, bytes: 100, s3_path: 's3://exports/exports/A', error: null }, {}, {}],
    });
  });

  it('answers RUNNING when it has waited long enough, and export_status goes on', async () => {
    context.waitLimit = 0;
    const summary = summaryIn(await post([name]));
    expect(summary.status).toBe('RUNNING');
    executions.set(summary.export_id, 'failed', { status: 'ABORTED' });
    const status = summaryIn(await request('POST', 'export-status', randomUUID(), [[summary.export_id]]));
    expect(status).toMatchObject({ status: 'FAILED', error: { code: 'Aborted' } });
    expect(summaryIn(await request('POST', 'export-status', randomUUID(), [['01NOTHING']]))).toMatchObject({
      error: { code: 'ExportNotFound' },
    });
  });
});

describe('Pick', () => {
  const failure = { Error: 'ExportQueryFailed', Cause: JSON.stringify({ errorMessage: 'no such table' }) };

  it('picks all at first, and fails once all have ended and some have failed', async () => {
    const { export_id } = await start();
    expect(await pick(exporting(), export_id, 0)).toEqual({ pending: [0, 1, 2], any: true });
    await end(export_id, 0, { status: 'SUCCEEDED' });
    await note(exporting(), { exportId: export_id, index: 1 }, 0, failure);
    await end(export_id, 2, { status: 'SUCCEEDED' });
    await expect(pick(exporting(), export_id, 0)).rejects.toMatchObject({
      name: 'ExportFailed',
      message: '1 of 3 exports failed: B (ExportQueryFailed)',
    });
    executions.set(export_id, 'failed');
    const { data } = JSON.parse((await request('POST', 'export-status', randomUUID(), [[export_id]])).body);
    expect(data[0][1].exports.map(({ done }: { done: string }) => done)).toEqual(['✓', '✗', '✓']);
  });

  it('picks what failed after a redrive, as it is configured by then', async () => {
    const { export_id } = await start();
    for (const index of [0, 2]) await end(export_id, index, { status: 'SUCCEEDED' });
    await note(exporting(), { exportId: export_id, index: 1 }, 0, failure);
    await push([...configs('A'), { ...configs('B')[0]!, query: 'SELECT 1 AS ONE' }, ...configs('C')]);
    expect(await pick(exporting(), export_id, 1)).toEqual({ pending: [1], any: true });
    expect(await readItem(context.state, export_id, 1)).toMatchObject({ status: 'PENDING', config: { query: 'SELECT 1 AS ONE' } });
    await end(export_id, 1, { status: 'SUCCEEDED' });
    expect(await pick(exporting(), export_id, 1)).toEqual({ pending: [], any: false });
    executions.set(export_id, 'succeeded');
    expect(summaryIn(await request('POST', 'export-status', randomUUID(), [[export_id]]))).toMatchObject({
      status: 'SUCCEEDED',
      error: null,
    });
  });

  it('fails again when they fail again', async () => {
    const { export_id } = await start({ only: ['A'] });
    for (const attempt of [0, 1, 2]) {
      expect(await pick(exporting(), export_id, attempt)).toEqual({ pending: [0], any: true });
      await note(exporting(), { exportId: export_id, index: 0 }, attempt, failure);
      await expect(pick(exporting(), export_id, attempt)).rejects.toMatchObject({ name: 'ExportFailed' });
    }
  });
});
