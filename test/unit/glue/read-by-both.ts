import { execFileSync } from 'node:child_process';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ulid } from 'ulid';
import { tableConfigSchema } from '../../../core/config/schema.js';
import { createLog } from '../../../core/log.js';
import { makePlan } from '../../../core/plan/make-plan.js';
import { type PartManifest, partManifestSchema } from '../../../core/plan/manifest.js';
import type { Plan } from '../../../core/plan/plan.js';
import { partKey } from '../../../core/raw-bucket/layout.js';
import { type RawBucket, readJson } from '../../../core/raw-bucket/objects.js';
import type { SourceSecret, SourceSession, SourceType } from '../../../core/source/source.js';
import { extractChunk } from '../../../core/workflow/extract-chunk.js';
import { writeGlueRead } from '../../../core/workflow/glue-read.js';
import { localPython } from '../state/local-aws.js';
import { type JobError, runJobs } from './local-spark.js';

/** A source with the tables that both engines read. */
export interface ReadSource {
  type: SourceType;
  session: SourceSession;
  connection: SourceSecret;
  schema: string;
}

/** A table that both engines are to read. */
export interface ToRead {
  source: ReadSource;
  table: string;
  /** How the job connects. */
  connection: SourceSecret;
  /** Whether both are to arrive; else the job's error is all there is. */
  arrives: boolean;
  plans: { lambda: Plan; glue: Plan };
}

export interface ReadByBoth extends ToRead {
  error: JobError;
  parts: { lambda: PartManifest[]; glue: PartManifest[] };
  files: { lambda: Printed; glue: Printed };
}

async function planOf({ type, session, schema }: ReadSource, table: string, config: object, chunkBytes?: number): Promise<Plan> {
  const relation = { schema, table };
  const parsed = tableConfigSchema.parse({ table, relation, ...config });
  const described = await session.describeTable(relation, parsed);
  const run = { runId: ulid(), source: type, database: schema, table };
  const known = { mode: null, configVersion: 1, sourceType: type, fence: 7, baseVersion: 0, watermark: null, last: null } as const;
  return (await makePlan(session, { run, config: parsed, checkpoints: [], chunkBytes, ...known }, described, new Date())).plan;
}

interface Reading {
  config?: object | undefined;
  chunkBytes?: number;
  connection?: Partial<SourceSecret>;
  arrives?: boolean;
}

/** A run of its own for each engine. */
export async function toRead(source: ReadSource, table: string, reading: Reading = {}): Promise<ToRead> {
  const { config = {}, chunkBytes, connection, arrives = true } = reading;
  const plan = () => planOf(source, table, config, chunkBytes);
  return {
    source,
    table,
    connection: { ...source.connection, ...connection },
    arrives,
    plans: { lambda: await plan(), glue: await plan() },
  };
}

/** All of them by the job, in one Spark session, and what is to arrive by the extractor, too. By `source table`. */
export async function readByBoth(raw: RawBucket, all: readonly ToRead[]): Promise<Map<string, ReadByBoth>> {
  const jobs: string[][] = [];
  for (const { plans, source, connection } of all) {
    const { runId } = plans.glue.run;
    await new SecretsManagerClient({}).send(new CreateSecretCommand({ Name: runId, SecretString: JSON.stringify(connection) }));
    const key = (await writeGlueRead(raw, plans.glue, source.connection, runId))!;
    jobs.push(['--run_id', runId, '--bucket', raw.bucket, '--region', 'us-east-1', '--read', key, '--JOB_NAME', 'firn-test-extract']);
  }
  const errors = await runJobs(jobs);
  const reads = all.map((one, index) => ({ ...one, error: errors[index]! }) as ReadByBoth);
  const arriving = reads.filter(({ arrives, error }) => arrives && error === null);
  for (const read of arriving) read.parts = { lambda: await byLambda(raw, read), glue: await partsOf(raw, read.plans.glue) };
  const shown = printed(arriving.flatMap(({ parts }) => [parts.lambda, parts.glue]));
  for (const [index, read] of arriving.entries()) read.files = { lambda: shown[2 * index]!, glue: shown[2 * index + 1]! };
  return new Map(reads.map((read) => [`${read.source.type} ${read.table}`, read]));
}

export const byLambda = (raw: RawBucket, { plans: { lambda: plan }, source: { connection } }: ToRead): Promise<PartManifest[]> =>
  Promise.all(
    plan.chunks.map(({ number }) =>
      extractChunk({ run: plan.run, plan, raw, connection, log: createLog({}), signal: new AbortController().signal }, number),
    ),
  );

const partsOf = async (raw: RawBucket, { run, chunks }: Plan): Promise<PartManifest[]> =>
  Promise.all(chunks.map(async ({ number }) => (await readJson(raw, partKey(run.runId, number), partManifestSchema))!));

export interface Printed {
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
