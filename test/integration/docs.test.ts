import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { execa } from 'execa';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Receipt } from '../../core/receipt/receipt.js';
import { splitStatements } from '../../sql/statements.js';
import { type Block, blocks, root } from '../unit/docs/pages.js';
import { useSandbox } from './fixture.js';

/**
 * Every `npx firn` line and every SQL statement of the pages, run as it stands there but for these words: the pages' database `clr` is
 * `docs` here, its tables have names that no other test asks for, and `prod` is the sandbox's `dev`; a push names its file, because
 * without one it would take out the tables of the other tests.
 */
const words: [RegExp, string][] = [
  [/'clr'/g, "'docs'"],
  [/\bPostgreSQL clr\b/g, 'PostgreSQL docs'],
  [/\bstaging_clr\b/g, 'staging_docs'],
  [/\b(airlines|customers|orders|payments)\b/g, 'page_$1'],
  [/\bPROD_FIRN\b/g, 'DEV_FIRN'],
  [/--env prod\b/g, '--env dev'],
  [/\bfirn config push\b/g, 'firn config push config/docs.yaml'],
];

/**
 * They would end the sandbox that the tests run in, start it anew, or change the tables of other tests: only that there is such a
 * command is checked. dbt has a test of its own.
 */
const notOurs = /^npx firn (sandbox (?:up|down|reset)|sample|simulate|dbt|ingest PostgreSQL clr raw_customers)\b.*/;

const firn = useSandbox();
const folder = mkdtempSync(join(tmpdir(), 'firn-docs-'));
let source: pg.Client;
let succeeded: string;
let exported: string;

/** Runs a line of a shell as a user does in the checkout. */
async function run(line: string): Promise<string> {
  const { exitCode, stdout, all } = await execa(line.replace(/^npx firn/, join(root, 'bin/firn.ts')), {
    shell: '/bin/sh',
    cwd: folder,
    preferLocal: true,
    localDir: root,
    reject: false,
    stdin: 'ignore',
    all: true,
  });
  expect(exitCode, `${line}\n${all}`).toBe(0);
  return stdout;
}

async function ingest(): Promise<Receipt> {
  const [row] = await firn.warehouse.query("SELECT ingest_table('PostgreSQL', 'docs', 'page_airlines') AS receipt");
  return row!.RECEIPT as Receipt;
}

async function failedRun(): Promise<string> {
  await source.query('REVOKE SELECT ON page_airlines FROM firn');
  const { status, run_id } = await ingest().finally(() => source.query('GRANT SELECT ON page_airlines TO firn'));
  expect(status).toBe('FAILED');
  return run_id;
}

async function filledIn(text: string): Promise<string> {
  const replaced = words.reduce(
    (before, [word, ours]) => before.replace(word, ours),
    text.replaceAll('<run id>', succeeded).replaceAll('<export id>', exported),
  );
  return replaced.includes('<failed run id>') ? replaced.replaceAll('<failed run id>', await failedRun()) : replaced;
}

const changing = ['page_customers', 'page_orders', 'page_payments'];

beforeAll(async () => {
  const { adminUrl, secret: clr } = firn.sandbox.postgres;
  await firn.source.query('CREATE DATABASE docs');
  source = new pg.Client({ connectionString: adminUrl.replace(/clr$/, 'docs') });
  await source.connect();
  await source.query(
    "CREATE TABLE page_airlines (carrier text PRIMARY KEY, name text); INSERT INTO page_airlines VALUES ('FI', 'Firn Air')",
  );
  for (const table of changing) {
    await source.query(`CREATE TABLE ${table} (id integer PRIMARY KEY, status text, updated_at timestamptz NOT NULL DEFAULT now());
      INSERT INTO ${table} (id, status) SELECT n, 'status ' || n % 3 FROM generate_series(1, 100) n`);
  }
  await source.query('GRANT SELECT ON ALL TABLES IN SCHEMA public TO firn');

  const secrets = new SecretsManagerClient({});
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: clr }));
  const secret = 'firn/dev/PostgreSQL/docs';
  await secrets.send(
    new CreateSecretCommand({ Name: secret, SecretString: JSON.stringify({ ...JSON.parse(SecretString!), database: 'docs' }) }),
  );

  const incremental = changing.map((table) => ({ table, mode: 'incremental', cursor_column: 'updated_at' }));
  const tables = [{ table: 'page_airlines' }, ...incremental];
  mkdirSync(join(folder, 'config'));
  writeFileSync(
    join(folder, 'config/docs.yaml'),
    stringify({ sources: [{ source: 'PostgreSQL', database: 'docs', type: 'postgres', tables }] }),
  );
  await run('npx firn config push config/docs.yaml');
  // Each block finds the tables as they are after a first load.
  await firn.warehouse.query("SELECT ingest_table(source, database, table_name) FROM firn.tables WHERE database = 'docs'");
  succeeded = (await ingest()).run_id;

  mkdirSync(join(folder, 'config/exports'));
  const exports = [
    { table: 'ORDERS', s3_path: 'exports/docs/orders.csv', file_type: 'csv', query: 'SELECT ID FROM STAGING_DOCS.PAGE_ORDERS' },
  ];
  writeFileSync(join(folder, 'config/exports/daily.yaml'), stringify({ exports }));
  exported = JSON.parse(await run('npx firn export --config config/exports/daily.yaml --json')).export_id;
});

afterAll(async () => {
  await source?.end();
  rmSync(folder, { recursive: true });
});

const titled = (language: string): [string, Block][] =>
  blocks.filter((block) => block.language === language).map((block) => [`${block.page}: ${block.lines.join(' ⏎ ')}`, block]);

describe('commands of the pages', () => {
  it.each(titled('sh'))('%s', async (_, { lines }) => {
    for (const line of lines) await run(await filledIn(line.replace(notOurs, 'npx firn $1 --help')));
  });
});

/** Errors anywhere in an answer. */
function errorsIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const { error } = value as { error?: unknown };
  return [...(error ? [error] : []), ...Object.values(value).flatMap(errorsIn)];
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

describe('SQL of the pages', () => {
  it.each(titled('sql'))('%s', async (_, { lines }) => {
    for (const statement of splitStatements(lines.join('\n'))) {
      const sql = await filledIn(statement);
      const answer: unknown = JSON.parse(await run(`npx firn sql ${quoted(sql)} --json`));
      expect(errorsIn(answer), sql).toEqual([]);
    }
  });
});
