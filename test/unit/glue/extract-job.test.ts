import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Client } from 'pg';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tableConfigSchema } from '../../../core/config/schema.js';
import { createLog } from '../../../core/log.js';
import { makePlan } from '../../../core/plan/make-plan.js';
import { partManifestSchema } from '../../../core/plan/manifest.js';
import type { Chunk, Plan } from '../../../core/plan/plan.js';
import { glueReadKey, partKey } from '../../../core/raw-bucket/layout.js';
import { type RawBucket, readJson, writeJsonOnce } from '../../../core/raw-bucket/objects.js';
import { postgresSession } from '../../../core/source/postgres/source.js';
import type { ExecutionState, Executions } from '../../../core/state/executions.js';
import { isTakenByGlue } from '../../../core/workflow/chunk-parts.js';
import { explainJob, prepareJob } from '../../../core/workflow/extract-job.js';
import { glueReadSchema } from '../../../core/workflow/glue-read.js';
import { type RunningPostgres, startPostgres } from '../source/running-postgres.js';
import { type LocalAws, startLocalAws } from '../state/local-aws.js';

let aws: LocalAws;
let server: RunningPostgres;
let client: Client;
let raw: RawBucket;
const log = createLog({});

beforeAll(async () => {
  [aws, server] = await Promise.all([startLocalAws(), startPostgres()]);
  raw = { client: new S3Client({}), bucket: 'raw' };
  await raw.client.send(new CreateBucketCommand({ Bucket: raw.bucket }));
  client = await server.connect();
  await client.query(
    `CREATE TABLE wide (id int PRIMARY KEY, t text, "q?" jsonb); INSERT INTO wide SELECT n, 't' FROM generate_series(1, 1000) n; ANALYZE wide`,
  );
}, 120_000);
afterAll(() => Promise.all([aws.stop(), server.stop()]));

async function planOf(config: object = {}): Promise<Plan> {
  const session = postgresSession(client);
  const parsed = tableConfigSchema.parse({ table: 'wide', ...config });
  const described = await session.describeTable({ schema: 'public', table: 'wide' }, parsed);
  const run = { runId: ulid(), source: 'PostgreSQL', database: 'clr', table: 'wide' };
  const known = { mode: null, configVersion: 1, sourceType: 'postgres', fence: 7, baseVersion: 0, watermark: null, last: null } as const;
  return (await makePlan(session, { run, config: parsed, checkpoints: [], chunkBytes: 10_000, ...known }, described, new Date())).plan;
}

/** Job runs of a run, in memory: each that is stopped has ended after two more looks. */
function jobRuns(alive: string[]) {
  const stopped: string[] = [];
  let looks = 0;
  return {
    stopped,
    alive: async () => (stopped.length > 0 && ++looks > 2 ? [] : alive),
    stop: async (ids: string[]) => void stopped.push(...ids),
  };
}

const prepare = (plan: Plan, jobs = jobRuns([]), bucket = raw) =>
  prepareJob({
    plan,
    raw: bucket,
    jobs,
    connection: { host: '127.0.0.1', port: server.port, user: 'postgres', password: 'hidden', database: 'postgres', sslmode: 'disable' },
    secret: 'the/secret',
    log,
    interval: 1,
  });

const finish = (plan: Plan, chunk: Chunk, rest?: Chunk, place = 0) =>
  writeJsonOnce(raw, partKey(plan.run.runId, chunk.number, place), partManifestSchema, {
    runId: plan.run.runId,
    chunk: chunk.number,
    files: [],
    rows: 0,
    readAsOf: '2025-11-05T12:00:00.000000Z',
    policyCounts: {},
    ...(rest && { rest }),
  });

describe('a job is prepared (PostgreSQL and S3 local; job runs in memory)', () => {
  it('to read what nobody has read: chunks that are done are left out, and of one that was handed back only the rest is read', async () => {
    const plan = await planOf();
    const [first, second, third] = plan.chunks as [Chunk, Chunk, Chunk];
    expect(plan.chunks.length).toBeGreaterThan(3);
    await finish(plan, first);
    await finish(plan, second, { ...second, from: second.steps![3]!, steps: second.steps!.slice(4) });
    const { read } = await prepare(plan);
    const { chunks } = (await readJson(raw, read, glueReadSchema))!;
    expect(chunks).toHaveLength(plan.chunks.length - 1);
    expect(chunks[0]).toMatchObject({
      condition: `"id" >= '${second.steps![3]}' AND ("id" < '${second.to}')`,
      part: `_manifests/${plan.run.runId}/parts/0001-1.json`,
    });
    expect(chunks[1]!.condition).toContain(`"id" >= '${third.from}'`);
  });

  it('once no function writes parts any more: it says so before it looks at what is left', async () => {
    const plan = await planOf();
    const asked: string[] = [];
    const client = new S3Client({});
    client.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          asked.push(`${commandName} ${(args.input as { Key?: string }).Key}`);
          return next(args);
        },
      { step: 'initialize' },
    );
    await prepare(plan, jobRuns([]), { ...raw, client });
    const { runId } = plan.run;
    expect(asked[0]).toBe(`PutObjectCommand _manifests/${runId}/glue.json`);
    expect(asked).toContain(`GetObjectCommand ${partKey(runId, 0)}`);
    expect(await isTakenByGlue(raw, runId)).toBe(true);
  });

  it('or not at all when everything is read', async () => {
    const plan = await planOf();
    for (const chunk of plan.chunks) await finish(plan, chunk);
    expect((await prepare(plan)).read).toBe('');
  });

  it('once the job runs of the same run have ended', async () => {
    const jobs = jobRuns(['jr_old']);
    await prepare(await planOf(), jobs);
    expect(jobs.stopped).toEqual(['jr_old']);
  });

  it('and nothing secret is written down', async () => {
    const { read } = await prepare(await planOf());
    expect(JSON.stringify(await readJson(raw, read, glueReadSchema))).not.toContain('hidden');
  });

  it('with the filter as it is, where JDBC would take its question marks for parameters', async () => {
    const { read } = await prepare(await planOf({ row_filter: `"q?" ? 'a?' OR t = $$?$$ -- really?` }));
    expect((await readJson(raw, read, glueReadSchema))!.query).toContain(`WHERE ("q?" ?? 'a?' OR t = $$?$$ -- really?\n)`);
  });

  it('and refuses a table whose column was dropped since', async () => {
    const plan = await planOf();
    await client.query('ALTER TABLE wide RENAME t TO u');
    await expect(prepare(plan)).rejects.toMatchObject({ code: 'SchemaChangedDuringRun' });
    await client.query('ALTER TABLE wide RENAME u TO t');
  });
});

describe('a job that failed', () => {
  const failure = (message: string) => ({
    Error: 'States.TaskFailed',
    Cause: JSON.stringify({ Id: 'jr_1', JobRunState: 'FAILED', ErrorMessage: message }),
  });
  const lost = failure('[firn:SourceConnectionLost] gone');
  const wrong = failure('[firn:SourceQueryFailed] wrong');
  const now = () => new Date().toISOString();

  const explain = (runId: string, what: typeof lost, preparedAt: string, attemptStartedAt: Date) => {
    const executions = {
      arn: (name: string) => name,
      describe: async () => ({ attemptStartedAt }) as ExecutionState,
    } as unknown as Executions;
    return explainJob({ runId, failure: what, preparedAt, executions, raw, retries: 2, log });
  };
  const prepared = (runId: string, attempt: string) =>
    raw.client.send(new PutObjectCommand({ Bucket: raw.bucket, Key: glueReadKey(runId, attempt), Body: '{}' }));

  it('fails the execution under its own code', async () => {
    await expect(explain(ulid(), wrong, now(), new Date(Date.now() - 60_000))).rejects.toMatchObject({ name: 'SourceQueryFailed' });
  });

  it('is run again as often as the environment says when it may pass by itself', async () => {
    const runId = ulid();
    for (const attempt of ['a', 'b']) {
      await prepared(runId, attempt);
      await explain(runId, lost, now(), new Date(Date.now() - 60_000));
    }
    await prepared(runId, 'c');
    const { Contents } = await raw.client.send(new ListObjectsV2Command({ Bucket: raw.bucket, Prefix: `_manifests/${runId}/jobs/` }));
    expect(Contents).toHaveLength(3);
    await expect(explain(runId, lost, now(), new Date(Date.now() - 60_000))).rejects.toMatchObject({ name: 'SourceConnectionLost' });
  });

  it('before the redrive is run again, whatever it failed of', async () => {
    const preparedAt = new Date(Date.now() - 3_600_000).toISOString();
    await expect(explain(ulid(), wrong, preparedAt, new Date())).resolves.toBeUndefined();
  });
});
