import { qualifiedName } from '../../core/warehouse/identifiers.js';
import { buildHistory } from './gold-history.js';
import { deployedModels, existingTables, lastBuilds, lastChanges, type Model, quotedInput, type Versions } from './gold-models.js';
import { query, type Snowflake } from './session.js';
import { token } from './work-table.js';

interface Built {
  built: string[];
  unchanged: string[];
  skipped: { model: string; reason: string }[];
  failed: { model: string; message: string }[];
}

/**
 * CALL FIRN.BUILD_GOLD(): rebuilds the models whose inputs or whose SQL changed, each after the models it reads. One that fails does not
 * stop the others. The inputs' versions are read before a model is built: what changes meanwhile makes it stale again.
 */
export function main(snowflake: Snowflake): Built {
  const answer: Built = { built: [], unchanged: [], skipped: [], failed: [] };
  const builds = lastBuilds(snowflake);
  const changes = lastChanges(snowflake);
  const tables = existingTables(snowflake);

  for (const model of deployedModels(snowflake)) {
    const missing = model.reads.find((input) => !tables.includes(quotedInput(input)));
    if (missing) {
      answer.skipped.push({ model: model.name, reason: `${missing} does not exist yet` });
      continue;
    }
    const inputs: Versions = {};
    for (const input of model.reads) {
      inputs[input] = (input.startsWith('GOLD.') ? builds[input.slice(5)]?.buildId : changes[quotedInput(input)]) ?? 'none';
    }
    const last = builds[model.name];
    const exists = tables.includes(qualifiedName('GOLD', model.name));
    const fresh = last?.checksum === model.checksum && model.reads.every((input) => last.inputs[input] === inputs[input]);
    if (exists && fresh) {
      answer.unchanged.push(model.name);
      continue;
    }
    const buildId = token() + token();
    const started = String(query(snowflake, `SELECT TO_VARCHAR(SYSDATE(), 'YYYY-MM-DD HH24:MI:SS.FF6') AS MOMENT`)[0]?.MOMENT);
    try {
      build(snowflake, model);
      record(snowflake, { model, buildId, started, inputs, status: 'BUILT', message: null });
      builds[model.name] = { buildId, checksum: model.checksum, inputs };
      tables.push(qualifiedName('GOLD', model.name));
      answer.built.push(model.name);
    } catch (error) {
      const message = String((error as Error).message ?? error).replace(/\s+/g, ' ');
      record(snowflake, { model, buildId, started, inputs, status: 'FAILED', message });
      answer.failed.push({ model: model.name, message });
    }
  }
  return answer;
}

function build(snowflake: Snowflake, model: Model): void {
  if (model.kind === 'history') buildHistory(snowflake, model);
  else query(snowflake, `CREATE OR REPLACE TABLE ${qualifiedName('GOLD', model.name)} COPY GRANTS AS\n${model.query}`);
}

interface BuildRecord {
  model: Model;
  buildId: string;
  started: string;
  inputs: Versions;
  status: 'BUILT' | 'FAILED';
  message: string | null;
}

function record(snowflake: Snowflake, { model, buildId, started, inputs, status, message }: BuildRecord): void {
  const rows = status === 'BUILT' ? Number(query(snowflake, `SELECT COUNT(*) AS N FROM ${qualifiedName('GOLD', model.name)}`)[0]?.N) : null;
  query(
    snowflake,
    `INSERT INTO FIRN.GOLD_BUILDS (build_id, model, status, checksum, inputs, row_count, message, started_at, finished_at)
SELECT ?, ?, ?, ?, PARSE_JSON(?), ?, ?, TO_TIMESTAMP_NTZ(?), SYSDATE()`,
    [buildId, model.name, status, model.checksum, JSON.stringify(inputs), rows, message, started],
  );
}
