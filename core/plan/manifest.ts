import * as z from 'zod';
import { chunkSchema } from './plan.js';

export const fileSchema = z.object({
  /** Key in the raw bucket: what Snowflake shows as METADATA$FILENAME. */
  key: z.string(),
  rows: z.int().min(0),
  bytes: z.int().min(0),
  /** It holds the keys of all rows, and is counted with no rows. */
  keys: z.boolean().optional(),
});
export type DataFile = z.infer<typeof fileSchema>;

/** What a chunk, or what was left of it, has written: `_manifests/<run>/parts/<chunk>.json`, written once (If-None-Match). */
export const partManifestSchema = z.object({
  runId: z.string(),
  chunk: z.int(),
  files: z.array(fileSchema),
  rows: z.int(),
  /** How many keys were read beside them; absent when none were to be read. */
  keys: z.int().optional(),
  /** Clock of the source when the chunk's snapshot was taken. */
  readAsOf: z.string(),
  /** Values that followed a lossy policy, per column and policy. */
  policyCounts: z.record(z.string(), z.int()),
  /** Who read it. Not there: Lambda. */
  engine: z.literal('glue').optional(),
  /** How long a Lambda read. */
  seconds: z.number().optional(),
  /** Handed back: what the chunk's next part is to read. */
  rest: chunkSchema.optional(),
});
export type PartManifest = z.infer<typeof partManifestSchema>;

/** All files of a run: `_manifests/<run>/manifest.json`, written once. Only these files are merged. */
export const manifestSchema = z.object({
  runId: z.string(),
  files: z.array(fileSchema),
  rows: z.int(),
  bytes: z.int(),
  readAsOf: z.string(),
  policyCounts: z.record(z.string(), z.int()),
  /** Who read it: `lambda`, `glue`, or `lambda, then glue`. Not there: Lambda. */
  engine: z.string().optional(),
  /** What Lambda read, and for how long, all its functions together. */
  lambda: z.object({ rows: z.int(), seconds: z.number() }).optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;
