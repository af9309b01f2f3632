import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ulid } from 'ulid';
import type { ExportContext, ExportRef } from '../../../core/export/context.js';
import { publish } from '../../../core/export/publish.js';
import { createExport, type ExportItem, readItem } from '../../../core/export/record.js';
import { type ExportConfig, exportConfigSchema } from '../../../core/export/schema.js';
import { awaitUnload, unload } from '../../../core/export/unload.js';
import { createLog } from '../../../core/log.js';
import type { Warehouse } from '../../../core/warehouse/snowflake.js';
import { startLocalSnowflake } from '../sql/local-snowflake.js';
import { ExecutionsDouble } from '../state/executions-double.js';
import { createStateTable, type LocalAws, startLocalAws } from '../state/local-aws.js';

export const bucket = 'firn-dev-exports';

/** The steps of an export on the local Snowflake, S3 and DynamoDB; Step Functions is the test. */
export interface Exporting {
  context: ExportContext;
  executions: ExecutionsDouble;
  warehouse: Warehouse;
  /** Begins an export of its own. */
  begin(config: Partial<ExportConfig>): Promise<ExportRef>;
  /** Unloads and waits for the statement. */
  unloaded(ref: ExportRef): Promise<ExportItem>;
  /** All steps of one export. @returns its item */
  run(config: Partial<ExportConfig>): Promise<ExportItem>;
  keys(prefix?: string): Promise<string[]>;
  body(key: string): Promise<{ bytes: Buffer; metadata: Record<string, string>; contentType: string | undefined }>;
  /** The object as a file of this machine. */
  download(key: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startExporting(): Promise<Exporting> {
  const aws: LocalAws = await startLocalAws();
  const [documents, snowflake] = await Promise.all([
    createStateTable('state'),
    startLocalSnowflake(aws.endpoint),
    createStateTable('configs'),
  ]);
  const client = new S3Client({});
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const executions = new ExecutionsDouble();
  const { warehouse } = snowflake;
  const context: ExportContext = {
    state: { documents, table: 'state', executions },
    configs: { documents, table: 'configs' },
    exports: { client, bucket },
    snowflake: (work) => work(warehouse),
    log: createLog({}),
  };
  const folder = mkdtempSync(join(tmpdir(), 'firn-exports-'));

  const begin = async (config: Partial<ExportConfig>) => {
    const exportId = ulid();
    const record = { exportId, name: 'test', status: 'RUNNING', startedAt: new Date().toISOString() } as const;
    const parsed = exportConfigSchema.parse({ table: 'GOLD.EVERY_TYPE', ...config });
    await createExport(context.state, { ...record, finishedAt: null, executionArn: null, error: null }, [parsed]);
    return { exportId, index: 0 };
  };
  const unloaded = async (ref: ExportRef) => {
    await unload(context, ref);
    while (!(await awaitUnload(context, ref)).done);
    return (await readItem(context.state, ref.exportId, ref.index))!;
  };
  const body = async (key: string) => {
    const { Body, Metadata = {}, ContentType } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return { bytes: Buffer.from(await Body!.transformToByteArray()), metadata: Metadata, contentType: ContentType };
  };
  return {
    context,
    executions,
    warehouse,
    begin,
    unloaded,
    run: async (config) => {
      const ref = await begin(config);
      await unloaded(ref);
      await publish(context, ref);
      return (await readItem(context.state, ref.exportId, 0))!;
    },
    keys: async (prefix = '') => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
      return Contents.map(({ Key }) => Key!);
    },
    body,
    download: async (key) => {
      const path = join(folder, key.replaceAll('/', '-'));
      writeFileSync(path, (await body(key)).bytes);
      return path;
    },
    stop: async () => {
      await snowflake.stop();
      await aws.stop();
    },
  };
}
