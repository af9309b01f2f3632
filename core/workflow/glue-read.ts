import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { columnSchema, systemColumns } from '../column.js';
import { partManifestSchema } from '../plan/manifest.js';
import type { Plan } from '../plan/plan.js';
import { dataFileStem, glueReadKey, partKey } from '../raw-bucket/layout.js';
import { type RawBucket, writeJsonOnce } from '../raw-bucket/objects.js';
import { sourceKind } from '../source/kinds.js';
import type { SourceSecret } from '../source/source.js';
import { readAllProgress } from './chunk-parts.js';

/** What a Glue job run is to read: all that glue-scripts/extract_table.py knows of it, but the source's secret. */
export const glueReadSchema = z.object({
  runId: z.string(),
  sourceType: z.string(),
  /** Name of the table for messages. */
  table: z.string(),
  /** Name of the source's secret. */
  secret: z.string(),
  address: z.string(),
  session: z.string(),
  query: z.string(),
  clock: z.string(),
  sqlStates: z.record(z.string(), z.string()),
  /** Rows that are in memory at once, per task and step. */
  batchRows: z.int().min(1),
  columns: z.array(columnSchema),
  /** Target names. */
  key: z.array(z.string()),
  constants: z.record(z.string(), z.string()),
  chunks: z.array(
    z.object({
      condition: z.string(),
      /** How the keys of its files begin. */
      file: z.string(),
      /** Key of its part manifest. */
      part: z.string(),
      /** The part manifest without what only the reader knows. */
      manifest: partManifestSchema.pick({ runId: true, chunk: true, engine: true }),
    }),
  ),
});
export type GlueRead = z.infer<typeof glueReadSchema>;

/** Of a Spark task's rows. */
const batchBytes = 32 << 20;
const batchLimits = { least: 16, most: 8192 };

/**
 * Writes down what is left of a run for a Glue job run to read: chunks that Lambda or an earlier job run have finished are left out.
 * Answers the document's key, or null when nothing is left.
 * @throws FirnError Source…, SchemaChangedDuringRun, CursorIsNull
 */
export async function writeGlueRead(raw: RawBucket, plan: Plan, connection: SourceSecret, secret: string): Promise<string | null> {
  const progress = await readAllProgress(raw, plan);
  const left = progress.flatMap(({ parts, rest }) => (rest === null ? [] : [{ chunk: rest, place: parts.length }]));
  if (left.length === 0) return null;
  const { sparkQuery } = await sourceKind(plan.sourceType);
  const { runId } = plan.run;
  const { relation, columns, rowFilter, cursor } = plan;
  const chunks = left.map(({ chunk }) => chunk);
  const read = await sparkQuery({ connection, relation, columns, where: { rowFilter, cursor, chunk: null } }, chunks);
  const { conditions, rowBytes, ...query } = read;
  const key = glueReadKey(runId, randomBytes(6).toString('hex'));
  await writeJsonOnce(raw, key, glueReadSchema, {
    runId,
    sourceType: plan.sourceType,
    table: `${relation.schema}.${relation.table}`,
    secret,
    ...query,
    batchRows: Math.min(batchLimits.most, Math.max(batchLimits.least, Math.floor(batchBytes / Math.max(rowBytes, 1)))),
    columns,
    key: plan.primaryKey,
    constants: { [systemColumns.run]: runId, [systemColumns.op]: 'R', [systemColumns.order]: plan.order },
    chunks: left.map(({ chunk, place }, index) => ({
      condition: conditions[index]!,
      file: `${plan.prefix}${dataFileStem(runId, chunk.number)}`,
      part: partKey(runId, chunk.number, place),
      manifest: { runId, chunk: chunk.number, engine: 'glue' as const },
    })),
  });
  return key;
}
