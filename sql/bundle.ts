import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { type GoldModel, parseModel } from './gold-model.js';
import { splitStatements } from './statements.js';

export interface Migration {
  version: number;
  name: string;
  /** To be executed one by one, in this order; each may run twice. */
  statements: string[];
  checksum: string;
}

export interface SqlBundle {
  /** Before the first migration: FIRN and its SCHEMA_MIGRATIONS. */
  history: string[];
  migrations: Migration[];
  procedures: { name: string; sql: string }[];
  /** Placeholders `${apiIntegration}` (a name) and `${apiUrl}` (URL of the API's stage, without a closing slash). */
  functions: { name: string; sql: string }[];
  /** Placeholders `${storageIntegration}`, `${storageRoleArn}`, `${bucket}`, `${exportsBucket}`, `${rawRetentionDays}` (NULL: none), `${apiIntegration}`, `${apiRoleArn}`, `${apiUrl}`: renderSql of statements.ts. */
  setup: {
    storageIntegration: string;
    rawStage: string;
    exportStage: string;
    retention: string;
    apiIntegration: string;
    apiPrefix: string;
  };
  /** Placeholder `${warehouse}`. Made suspended, and never changed again: schedule and state are their owner's. */
  tasks: { name: string; sql: string }[];
  gold: GoldModel[];
}

const folder = fileURLToPath(new URL('.', import.meta.url));
const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
const list = (path: string): string[] =>
  readdirSync(join(folder, path))
    .filter((name) => name.endsWith('.sql'))
    .sort();
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const procedures = [
  { name: 'PREPARE_TABLE', file: 'prepare_table', arguments: { PLAN_JSON: 'VARCHAR', FENCE: 'FLOAT' } },
  { name: 'PROCESS_TABLE', file: 'process_table', arguments: { RUN_ID: 'VARCHAR', FENCE: 'FLOAT' } },
  {
    name: 'PROCESS_TABLE',
    file: 'process_table_again',
    arguments: { SOURCE: 'VARCHAR', DATABASE_NAME: 'VARCHAR', TABLE_NAME: 'VARCHAR' },
  },
  { name: 'BUILD_GOLD', file: 'build_gold', arguments: {} },
  { name: 'PRUNE_RAW', file: 'prune_raw', arguments: {} },
];

/** All SQL that Firn deploys into Snowflake. Needs this folder and esbuild: call it when the app is built, and ship the result. */
export function bundleSql(): SqlBundle {
  const only = (path: string): string => {
    const [statement, ...more] = splitStatements(read(path));
    if (!statement || more.length > 0) throw new Error(`sql/${path} must hold one statement`);
    return statement;
  };
  return {
    history: splitStatements(read('setup/schema_migrations.sql')),
    migrations: list('migrations').map(migration),
    procedures: procedures.map((procedure) => ({ name: procedure.name, sql: createProcedure(procedure) })),
    functions: list('functions').map((file) => ({ name: basename(file, '.sql').toUpperCase(), sql: only(`functions/${file}`) })),
    setup: {
      storageIntegration: only('setup/storage_integration.sql'),
      rawStage: only('setup/raw_stage.sql'),
      exportStage: only('setup/export_stage.sql'),
      retention: only('setup/retention.sql'),
      apiIntegration: only('setup/api_integration.sql'),
      apiPrefix: only('setup/api_prefix.sql'),
    },
    tasks: list('tasks').map((file) => ({ name: basename(file, '.sql').toUpperCase(), sql: only(`tasks/${file}`) })),
    gold: list('gold').map((file) => parseModel(read(`gold/${file}`))),
  };
}

function migration(file: string): Migration {
  const match = /^V(\d{3})__(\w+)\.sql$/.exec(file);
  if (!match) throw new Error(`sql/migrations/${file} is not named V001__name.sql`);
  const text = read(`migrations/${file}`);
  return { version: Number(match[1]), name: match[2]!, statements: splitStatements(text), checksum: sha256(text) };
}

function createProcedure(procedure: (typeof procedures)[number]): string {
  const names = Object.keys(procedure.arguments);
  const built = buildSync({
    stdin: {
      contents: `import { main } from './${procedure.file}.ts'; export { main };`,
      resolveDir: join(folder, 'procedures'),
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'procedure',
    platform: 'neutral',
    target: 'es2019',
    legalComments: 'none',
    charset: 'ascii',
  });
  const body = `${built.outputFiles[0]!.text}return procedure.main(${['snowflake', ...names].join(', ')});`;
  if (body.includes('$$')) throw new Error(`${procedure.file} holds $$, which ends a procedure's body`);
  const signature = Object.entries(procedure.arguments).map(([name, type]) => `${name} ${type}`);
  return `CREATE OR REPLACE PROCEDURE FIRN.${procedure.name}(${signature.join(', ')})
COPY GRANTS
RETURNS VARIANT
LANGUAGE JAVASCRIPT
EXECUTE AS OWNER
AS $$
${body}
$$`;
}
