import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { FirnError } from '../errors.js';
import { inParallel } from '../start/parallel.js';
import { stagePrefix } from './aside.js';
import type { ExportRef, ExportsBucket } from './context.js';
import { copyObject, deleteObjects, headObject, listFolder } from './objects.js';
import { contentTypes, isOlder, type Published, provenance, type UnloadedItem } from './published.js';

/** Which files make the export, in `<s3_path>_manifest.json`: replaced as a whole, once all of them are there. */
const manifestSchema = z.object({
  export_id: z.string(),
  query_id: z.string(),
  as_of: z.string(),
  rows: z.number(),
  files: z.array(z.object({ key: z.string(), bytes: z.number() })),
});
type Manifest = z.infer<typeof manifestSchema>;

/**
 * Several files: each is copied under a name of its own, then the manifest is replaced, then the files of the one before are removed.
 * @throws FirnError ExportIncomplete
 */
export async function publishFolder(exports: ExportsBucket, ref: ExportRef, item: UnloadedItem): Promise<Published> {
  const { config, unload, rows } = item;
  const manifestKey = `${config.s3_path}_manifest.json`;
  const before = await readManifest(exports, manifestKey);
  let manifest = before?.query_id === unload.queryId ? before : null;
  if (!manifest) {
    if (before && isOlder(unload, before.as_of)) return { bytes: total(before), superseded: true };
    manifest = {
      export_id: ref.exportId,
      query_id: unload.queryId,
      as_of: unload.submittedAt,
      rows,
      files: await copyFiles(exports, ref, item),
    };
    const Body = JSON.stringify(manifest, null, 2);
    await exports.client.send(new PutObjectCommand({ Bucket: exports.bucket, Key: manifestKey, Body, ContentType: 'application/json' }));
  }
  const current = new Set([manifestKey, ...manifest.files.map(({ key }) => key)]);
  const made = (await listFolder(exports, config.s3_path)).map(({ key }) => key).filter((key) => isOurs(key));
  await deleteObjects(
    exports,
    made.filter((key) => !current.has(key)),
  );
  return { bytes: total(manifest), superseded: false };
}

const total = ({ files }: Manifest): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** A file's name begins with the id of the statement's place (a ULID): others in the folder are not ours to remove. */
const isOurs = (key: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}-/.test(key.slice(key.lastIndexOf('/') + 1));

async function copyFiles(exports: ExportsBucket, ref: ExportRef, item: UnloadedItem): Promise<Manifest['files']> {
  const { config, unload, rows } = item;
  const aside = `${stagePrefix}${unload.aside}`;
  const token = unload.aside.split('/').at(-2)!;
  const written = await listFolder(exports, aside);
  if (written.length !== item.files || written.some(({ bytes }) => bytes === 0)) {
    throw new FirnError('ExportIncomplete', `Snowflake wrote ${item.files} files for ${config.table}, but there are ${written.length}.`);
  }
  return inParallel(written, async ({ key, bytes: size }) => {
    const path = key.slice(aside.length);
    const cut = path.lastIndexOf('/') + 1;
    const to = `${config.s3_path}${path.slice(0, cut)}${token}-${path.slice(cut)}`;
    const metadata = provenance(ref, unload, rows);
    if ((await headObject(exports, to))?.bytes !== size) {
      await copyObject(exports, { from: key, to, bytes: size, contentType: contentTypes[config.file_type], metadata });
    }
    return { key: to, bytes: size };
  });
}

async function readManifest({ client, bucket }: ExportsBucket, key: string): Promise<Manifest | null> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return manifestSchema.safeParse(JSON.parse(await Body!.transformToString())).data ?? null;
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') return null;
    throw error;
  }
}
