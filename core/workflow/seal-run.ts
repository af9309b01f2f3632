import { failpoint } from '../failpoints.js';
import { type Manifest, manifestSchema, partManifestSchema } from '../plan/manifest.js';
import type { Plan } from '../plan/plan.js';
import { sealParts } from '../plan/seal.js';
import { manifestKey, partKey } from '../raw-bucket/layout.js';
import { type RawBucket, readJson, writeJsonOnce } from '../raw-bucket/objects.js';
import type { Warehouse } from '../warehouse/snowflake.js';
import type { WarehouseStep } from './warehouse-step.js';

/** Seal: from here on exactly these files are the run. Registers them in FIRN.RUN_FILES. A second call changes nothing. */
export async function sealRun({ run, plan, fence, raw, warehouse, log }: WarehouseStep): Promise<{ files: number; rows: number }> {
  const manifest = await writeJsonOnce(raw, manifestKey(run.runId), manifestSchema, sealParts(plan, await readParts(raw, plan)));
  await failpoint('manifest_written');
  await registerFiles(warehouse, plan, manifest);
  await failpoint('files_registered');
  await recordSealed(warehouse, plan, fence, manifest);
  log.info({ files: manifest.files.length, rows: manifest.rows, bytes: manifest.bytes }, 'sealed');
  return { files: manifest.files.length, rows: manifest.rows };
}

/** S3 answers many small reads at once, and there may be a thousand. */
const readsAtOnce = 50;

async function readParts(raw: RawBucket, { run, chunks }: Plan) {
  const parts = [];
  for (let from = 0; from < chunks.length; from += readsAtOnce) {
    const batch = chunks.slice(from, from + readsAtOnce);
    parts.push(...(await Promise.all(batch.map(({ number }) => readJson(raw, partKey(run.runId, number), partManifestSchema)))));
  }
  return parts;
}

async function registerFiles(warehouse: Warehouse, { run }: Plan, manifest: Manifest): Promise<void> {
  if (manifest.files.length === 0) return;
  await warehouse.query(
    `INSERT INTO FIRN.RUN_FILES (run_id, source, database, table_name, file, row_count, byte_count)
SELECT CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), f.value:key::VARCHAR, f.value:rows::NUMBER, f.value:bytes::NUMBER
FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS f
WHERE NOT EXISTS (SELECT 1 FROM FIRN.RUN_FILES AS held WHERE held.run_id = ?)`,
    [run.runId, run.source, run.database, run.table, JSON.stringify(manifest.files), run.runId],
  );
}

async function recordSealed(warehouse: Warehouse, { run }: Plan, fence: number, manifest: Manifest): Promise<void> {
  const detail = { files: manifest.files.length, rows: manifest.rows, bytes: manifest.bytes, read_as_of: manifest.readAsOf };
  await warehouse.query(
    `INSERT INTO FIRN.RUN_EVENTS (run_id, source, database, table_name, event, fence, at, detail)
SELECT CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS VARCHAR), 'SEALED', CAST(? AS NUMBER), SYSDATE(), PARSE_JSON(?)
WHERE NOT EXISTS (SELECT 1 FROM FIRN.RUN_EVENTS AS held WHERE held.run_id = ? AND held.event = 'SEALED')`,
    [run.runId, run.source, run.database, run.table, fence, JSON.stringify(detail), run.runId],
  );
}
