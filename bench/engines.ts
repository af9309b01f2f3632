import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { execa } from 'execa';
import getPort from 'get-port';
import pg from 'pg';
import { ulid } from 'ulid';
import { tableConfigSchema } from '../core/config/schema.js';
import { createLog } from '../core/log.js';
import { makePlan } from '../core/plan/make-plan.js';
import type { Plan } from '../core/plan/plan.js';
import type { RawBucket } from '../core/raw-bucket/objects.js';
import { postgresSession } from '../core/source/postgres/source.js';
import { readAllProgress } from '../core/workflow/chunk-parts.js';
import { extractChunk } from '../core/workflow/extract-chunk.js';
import { writeGlueRead } from '../core/workflow/glue-read.js';
import { awsEnvironment, startAws } from '../sandbox/aws.js';
import { projectRoot, pythonPath } from '../sandbox/paths.js';
import { postgresUrl, startPostgres } from '../sandbox/postgres.js';
import { stopService } from '../sandbox/service.js';
import { type EngineFigures, engineReport } from './engines-report.js';

const folder = join(projectRoot, '.firn/bench-engines');
const logins = { admin: 'bench', firn: 'bench' };
/** So that the largest table is read in several chunks. */
const chunkBytes = 64_000_000;

const tableSql = (table: string, rows: number) => `DROP TABLE IF EXISTS ${table};
  CREATE TABLE ${table} (id bigint PRIMARY KEY, customer int, status text, price numeric(12,2), rate float8, placed date, changed timestamptz,
    note text, open boolean, code uuid);
  INSERT INTO ${table} SELECT n, n % 9999, (ARRAY['new','paid','sent'])[1 + n % 3], n / 7.0, n / 3.0, date '2020-01-01' + n % 2000,
    timestamptz '2020-01-01' + n * interval '1 minute', md5(n::text) || md5((n + 1)::text), n % 2 = 0, md5(n::text)::uuid
  FROM generate_series(1, ${rows}) n; ANALYZE ${table}`;

/** Reads one table at several sizes by both engines, on this machine, and writes docs/performance-engines.md. */
export async function benchEngines({ sizes }: { sizes: number[] }): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const [port, awsPort] = [await getPort(), await getPort()];
  const [server, aws] = await Promise.all([startPostgres(folder, port, logins, () => {}), startAws(folder, awsPort)]);
  try {
    Object.assign(process.env, awsEnvironment(`http://127.0.0.1:${awsPort}`));
    const raw = { client: new S3Client({}), bucket: 'raw' };
    await raw.client.send(new CreateBucketCommand({ Bucket: raw.bucket }));
    const secret = { host: '127.0.0.1', port, user: 'postgres', password: logins.admin, database: 'postgres', sslmode: 'disable' } as const;
    await new SecretsManagerClient({}).send(new CreateSecretCommand({ Name: 'source', SecretString: JSON.stringify(secret) }));
    const client = new pg.Client({ connectionString: postgresUrl(port, 'postgres', logins, 'postgres') });
    await client.connect();
    const figures: EngineFigures[] = [];
    const before = loadavg()[0]!;
    for (const rows of sizes) {
      await client.query(tableSql('orders', rows));
      const [first, second] = [await planOf(client), await planOf(client)];
      const lambda = await timed(() => byLambda(raw, first, secret));
      const glue = await timed(() => byGlue(raw, second, secret));
      for (const plan of [first, second]) {
        const read = (await readAllProgress(raw, plan)).flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.rows, 0);
        if (read !== rows) throw new Error(`${read} rows were read of ${rows}`);
      }
      figures.push({ rows, chunks: first.chunks.length, lambda, glue });
      console.error(figures.at(-1));
    }
    await client.end();
    const machine = { processor: cpus()[0]!.model.trim(), processors: cpus().length, load: [before, loadavg()[0]!] as const };
    writeFileSync(join(projectRoot, 'docs/performance-engines.md'), engineReport(figures, machine, new Date().toISOString().slice(0, 10)));
  } finally {
    await stopService(server, 'SIGINT');
    await stopService(aws);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = Date.now();
  await work();
  return (Date.now() - began) / 1000;
}

async function planOf(client: pg.Client): Promise<Plan> {
  const session = postgresSession(client);
  const config = tableConfigSchema.parse({ table: 'orders' });
  const described = await session.describeTable({ schema: 'public', table: 'orders' }, config);
  const run = { runId: ulid(), source: 'PostgreSQL', database: 'bench', table: 'orders' };
  const known = { mode: null, configVersion: 1, sourceType: 'postgres', fence: 1, baseVersion: 0, watermark: null, last: null } as const;
  return (await makePlan(session, { run, config, checkpoints: [], chunkBytes, ...known }, described, new Date())).plan;
}

type Secret = Parameters<typeof writeGlueRead>[2];

/** All chunks at once, in one process. */
async function byLambda(raw: RawBucket, plan: Plan, connection: Secret): Promise<void> {
  const signal = new AbortController().signal;
  const extracting = { run: plan.run, plan, raw, connection, log: createLog({}), signal };
  await Promise.all(plan.chunks.map(({ number }) => extractChunk(extracting, number)));
}

/** The script in a Spark of its own, its start included. */
async function byGlue(raw: RawBucket, plan: Plan, connection: Secret): Promise<void> {
  const key = (await writeGlueRead(raw, plan, connection, 'source'))!;
  const about = 'import json, spark; print(json.dumps([str(spark.install()), spark.environment()]))';
  const { stdout } = await execa(pythonPath(), ['-c', about], { env: { PYTHONPATH: join(projectRoot, 'sandbox/glue') } });
  const [python, env] = JSON.parse(stdout) as [string, Record<string, string>];
  const script = join(projectRoot, 'glue-scripts/extract_table.py');
  await execa(python, [script, '--run_id', plan.run.runId, '--bucket', raw.bucket, '--region', 'us-east-1', '--read', key], { env });
}
