import { execFileSync } from 'node:child_process';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import getPort from 'get-port';
import type { Client } from 'pg';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tableConfigSchema } from '../../../core/config/schema.js';
import { createLog } from '../../../core/log.js';
import { makePlan } from '../../../core/plan/make-plan.js';
import { type PartManifest, partManifestSchema } from '../../../core/plan/manifest.js';
import type { Plan } from '../../../core/plan/plan.js';
import { partKey } from '../../../core/raw-bucket/layout.js';
import { type RawBucket, readJson } from '../../../core/raw-bucket/objects.js';
import { postgresSession } from '../../../core/source/postgres/source.js';
import { extractChunk } from '../../../core/workflow/extract-chunk.js';
import { writeGlueRead } from '../../../core/workflow/glue-read.js';
import { engineDifferences } from '../../types/engines.js';
import { typeCases } from '../../types/postgres.js';
import { refusedCases } from '../../types/refused.js';
import { typeSetup } from '../../types/setup.js';
import { type RunningPostgres, startPostgres } from '../source/running-postgres.js';
import { type LocalAws, localPython, startLocalAws } from '../state/local-aws.js';
import { type JobError, missingSpark, runJobs } from './local-spark.js';

const missing = missingSpark();
if (missing) console.warn(missing);

let aws: LocalAws;
let server: RunningPostgres;
let client: Client;
let raw: RawBucket;
const secret = () =>
  ({ host: '127.0.0.1', port: server.port, user: 'postgres', password: 'x', database: 'postgres', sslmode: 'disable' }) as const;

/** A table that both engines read. */
interface Read {
  name: string;
  config: object;
  chunkBytes?: number;
  plans: { lambda: Plan; glue: Plan };
  error: JobError;
  parts: { lambda: PartManifest[]; glue: PartManifest[] };
  files: { lambda: Printed; glue: Printed };
}

async function planOf(table: string, config: object, chunkBytes?: number): Promise<Plan> {
  const session = postgresSession(client);
  const relation = { schema: 'public', table };
  const parsed = tableConfigSchema.parse({ table, ...config });
  const described = await session.describeTable(relation, parsed);
  const run = { runId: ulid(), source: 'PostgreSQL', database: 'clr', table };
  const known = { mode: null, configVersion: 1, sourceType: 'postgres', fence: 7, baseVersion: 0, watermark: null, last: null } as const;
  return (await makePlan(session, { run, config: parsed, checkpoints: [], chunkBytes, ...known }, described, new Date())).plan;
}

const reads: Record<string, Read> = {};

async function addRead(name: string, config: object = {}, chunkBytes?: number): Promise<void> {
  const plans = { lambda: await planOf(name, config, chunkBytes), glue: await planOf(name, config, chunkBytes) };
  reads[name] = { name, config, plans } as Read;
}

/** One of each way in which a value can be refused; glue-scripts/tests has the others, without Spark. */
const refused = refusedCases.filter(({ type, policies }, index, all) => {
  const kind = (one: (typeof all)[number]) => `${one.type.replace(/\W.*/, '')} ${Object.keys(one.policies ?? {})}`;
  const first = all.findIndex((one) => kind(one) === kind({ type, policies, sql: '', message: /x/ })) === index;
  return first && ['numeric', 'date', 'timestamptz', 'time', 'json'].includes(type);
});

const typeGroups = [...Map.groupBy(typeCases, ({ policies }) => JSON.stringify(policies ?? {}))];

beforeAll(async () => {
  if (missing) return;
  [aws, server] = await Promise.all([startLocalAws(), startPostgres()]);
  raw = { client: new S3Client({}), bucket: 'raw' };
  await raw.client.send(new CreateBucketCommand({ Bucket: raw.bucket }));
  await new SecretsManagerClient({}).send(new CreateSecretCommand({ Name: 'source', SecretString: JSON.stringify(secret()) }));
  const unreachable = { ...secret(), port: await getPort({ host: '127.0.0.1' }) };
  await new SecretsManagerClient({}).send(new CreateSecretCommand({ Name: 'down', SecretString: JSON.stringify(unreachable) }));
  client = await server.connect();
  await client.query(typeSetup);

  for (const [index, [policies, cases]] of typeGroups.entries()) {
    const name = `types_${index}`;
    await client.query(`CREATE TABLE ${name} (id int PRIMARY KEY, ${cases.map(({ type }, i) => `c${i} ${type}`).join(', ')})`);
    const values = cases.map(({ type, sql }) => `(${sql})::${type}`).join(', ');
    await client.query(`INSERT INTO ${name} VALUES (1, ${values}); INSERT INTO ${name} (id) VALUES (2)`);
    await addRead(name, { policies: JSON.parse(policies) });
  }
  for (const [index, { type, sql, policies }] of refused.entries()) {
    const name = `refused_${index}`;
    await client.query(`CREATE TABLE ${name} (v ${type}, id int PRIMARY KEY)`);
    await client.query(`INSERT INTO ${name} VALUES (NULL, 6), ((${sql})::${type}, 7)`);
    await addRead(name, policies && { policies });
  }

  await client.query(
    "CREATE TABLE ranged (id bigint PRIMARY KEY, label text); INSERT INTO ranged SELECT n * 7, 'row ' || n FROM generate_series(-500, 500) n; ANALYZE ranged",
  );
  await addRead('ranged', {}, 10_000);
  await client.query('CREATE TABLE down (id int)');
  await addRead('down');

  const jobs: string[][] = [];
  for (const { name, plans } of Object.values(reads)) {
    const { runId } = plans.glue.run;
    const key = (await writeGlueRead(raw, plans.glue, secret(), name === 'down' ? 'down' : 'source'))!;
    jobs.push(['--run_id', runId, '--bucket', raw.bucket, '--region', 'us-east-1', '--read', key, '--JOB_NAME', 'firn-test-extract']);
  }
  const errors = await runJobs(jobs);
  for (const [index, read] of Object.values(reads).entries()) read.error = errors[index]!;
  const equal = Object.values(reads).filter(({ name }) => !/^(refused|down)/.test(name));
  for (const read of equal) read.parts = { lambda: await byLambda(read.plans.lambda), glue: await partsOf(read.plans.glue) };
  const shown = printed(equal.flatMap(({ parts }) => [parts.lambda, parts.glue]));
  for (const [index, read] of equal.entries()) read.files = { lambda: shown[2 * index]!, glue: shown[2 * index + 1]! };
}, 600_000);
afterAll(async () => {
  if (missing) return;
  await Promise.all([aws.stop(), server.stop()]);
});

const byLambda = (plan: Plan): Promise<PartManifest[]> =>
  Promise.all(
    plan.chunks.map(({ number }) =>
      extractChunk({ run: plan.run, plan, raw, connection: secret(), log: createLog({}), signal: new AbortController().signal }, number),
    ),
  );

const partsOf = async ({ run, chunks }: Plan): Promise<PartManifest[]> =>
  Promise.all(chunks.map(async ({ number }) => (await readJson(raw, partKey(run.runId, number), partManifestSchema))!));

interface Printed {
  /** `physical type, logical type, definition level` by column. */
  schema: Record<string, string>;
  /** All rows in the order of the first column, each value as Python prints it, without `_FIRN_RUN`. */
  rows: Record<string, string>[];
}

/** What pyarrow reads in the files of each of the lists of parts. */
function printed(all: PartManifest[][]): Printed[] {
  const keys = all.map((parts) => parts.flatMap(({ files }) => files.map(({ key }) => key)));
  const program = `
import io, json, sys, boto3, pyarrow.parquet as pq
s3 = boto3.client('s3', region_name='us-east-1')
def printed(keys):
    files = [pq.ParquetFile(io.BytesIO(s3.get_object(Bucket='raw', Key=key)['Body'].read())) for key in keys]
    columns = [f.schema.column(i) for f in files for i in range(len(f.schema))]
    schema = {c.name: f'{c.physical_type}({c.length}), {c.logical_type}, {c.max_definition_level}' for c in columns}
    rows = [row for f in files for row in zip(*[column.to_pylist() for column in f.read().columns])]
    names = files[0].schema.names
    rows.sort(key=lambda row: row[0])
    return {'schema': schema, 'rows': [{n: repr(v) for n, v in zip(names, row) if n != '_FIRN_RUN'} for row in rows]}
print(json.dumps([printed(keys) for keys in json.loads(sys.argv[1])]))`;
  const out = execFileSync(localPython(), ['-c', program, JSON.stringify(keys)], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return JSON.parse(out) as Printed[];
}

describe.skipIf(missing)('the files of both engines (real Spark, PostgreSQL and S3 local)', () => {
  it.each([...typeGroups.map(([policies], index) => [policies, `types_${index}`]), ['ranges of a key', 'ranged']] as [string, string][])(
    'hold the same values, in the same types: %s',
    (_, name) => {
      const { error, parts, files } = reads[name]!;
      expect(error).toBeNull();
      expect(files.glue.rows).toEqual(files.lambda.rows);
      const counted = (all: PartManifest[]) => all.map(({ chunk, policyCounts, rows }) => ({ chunk, policyCounts, rows }));
      expect(counted(parts.glue)).toEqual(counted(parts.lambda));
      expect(Object.keys(files.glue.schema)).toEqual(Object.keys(files.lambda.schema));
      for (const [column, type] of Object.entries(files.glue.schema)) {
        const there = files.lambda.schema[column]!;
        const known = engineDifferences.some((one) => one.lambda.test(there) && one.glue.test(type));
        if (!known) expect(`${column}: ${type}`).toBe(`${column}: ${there}`);
      }
    },
  );

  it.each(refused.map(({ type, sql, policies }, index) => [type, sql, JSON.stringify(policies ?? ''), `refused_${index}`] as const))(
    'refuse %s %s %s with the same words',
    async (_, __, ___, name) => {
      const { plans, error } = reads[name]!;
      const { code, message } = await byLambda(plans.lambda).catch((thrown) => thrown);
      expect(error).toEqual({ code, message });
    },
  );

  it('say the same of a source that is down', () => {
    expect(reads.down!.error).toMatchObject({
      code: 'SourceUnreachable',
      message: expect.stringMatching(/^PostgreSQL at 127\.0\.0\.1:\d+, database postgres: /),
    });
  });
});
