import { failpoint } from '../failpoints.js';
import { type Manifest, manifestSchema } from '../plan/manifest.js';
import type { Plan } from '../plan/plan.js';
import { sealParts } from '../plan/seal.js';
import { manifestKey } from '../raw-bucket/layout.js';
import { type RawBucket, writeJsonOnce } from '../raw-bucket/objects.js';
import type { Warehouse } from '../warehouse/snowflake.js';
import { readAllProgress } from './chunk-parts.js';
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

const readParts = async (raw: RawBucket, plan: Plan) =>
  (await readAllProgress(raw, plan)).map(({ parts, rest }) => (rest === null ? parts : null));

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
