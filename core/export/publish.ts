import { PutObjectCommand } from '@aws-sdk/client-s3';
import { FirnError } from '../errors.js';
import { asideFolder, stagePrefix } from './aside.js';
import type { ExportContext, ExportRef, ExportsBucket } from './context.js';
import { emptyFile } from './empty-file.js';
import { publishFolder } from './folder.js';
import { copyObject, deleteObjects, headObject, listFolder } from './objects.js';
import { contentTypes, isOlder, type Published, provenance, type UnloadedItem } from './published.js';
import { setItem, type Unload } from './record.js';
import { type ExportConfig, isFolder } from './schema.js';
import { itemOf } from './unload.js';

/**
 * Publish: what lies aside is checked, then copied to where readers look for it, and removed. Each part may be done twice.
 * @throws FirnError ExportIncomplete when aside is not what the statement said
 */
export async function publish(context: ExportContext, ref: ExportRef): Promise<void> {
  const { state, exports, log } = context;
  const item = (await itemOf(context, ref)) as UnloadedItem;
  if (item.status === 'SUCCEEDED') return;
  const { config, unload, rows } = item;
  const published = isFolder(config) ? await publishFolder(exports, ref, item) : await publishObject(exports, ref, item);
  await deleteObjects(exports, await asideKeys(exports, ref));
  const finishedAt = new Date().toISOString();
  await setItem(state, ref.exportId, ref.index, { status: 'SUCCEEDED', finishedAt, error: null, ...published });
  log.info({ table: config.table, s3_path: config.s3_path, query_id: unload.queryId, rows, ...published }, 'published');
}

/** Everything that statements of this export have left aside. */
export async function asideKeys(exports: ExportsBucket, ref: ExportRef): Promise<string[]> {
  return (await listFolder(exports, `${stagePrefix}${asideFolder(ref)}`)).map(({ key }) => key);
}

async function publishObject(exports: ExportsBucket, ref: ExportRef, item: UnloadedItem): Promise<Published> {
  const { config, unload, rows } = item;
  const there = await headObject(exports, config.s3_path);
  // It was copied by an attempt that died before it said so.
  if (there?.metadata['firn-query'] === unload.queryId) return { bytes: there.bytes, superseded: false };
  if (there && isOlder(unload, there.metadata['firn-as-of'])) return { bytes: there.bytes, superseded: true };
  const target = { to: config.s3_path, contentType: contentTypes[config.file_type], metadata: provenance(ref, unload, rows) };
  if (item.files === 0) return { bytes: await putEmpty(exports, config, unload, target.metadata), superseded: false };
  const from = `${stagePrefix}${unload.aside}`;
  const written = await headObject(exports, from);
  if (!written || written.bytes === 0 || item.files > 1) {
    const found = written ? `one of ${written.bytes} bytes` : 'none';
    throw new FirnError('ExportIncomplete', `Snowflake wrote ${item.files} files for ${config.table}, but there is ${found}.`);
  }
  await copyObject(exports, { from, bytes: written.bytes, ...target });
  const copied = await headObject(exports, config.s3_path);
  if (copied?.bytes !== written.bytes) {
    throw new FirnError('ExportIncomplete', `${config.s3_path} has ${copied?.bytes ?? 'no'} bytes after a copy of ${written.bytes}.`);
  }
  return { bytes: written.bytes, superseded: false };
}

async function putEmpty(
  { client, bucket }: ExportsBucket,
  config: ExportConfig,
  { columns }: Unload,
  Metadata: Record<string, string>,
): Promise<number> {
  const Body = await emptyFile(config, columns);
  await client.send(
    new PutObjectCommand({ Bucket: bucket, Key: config.s3_path, Body, Metadata, ContentType: contentTypes[config.file_type] }),
  );
  return Body.length;
}
