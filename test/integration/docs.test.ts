import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Receipt } from '../../core/receipt/receipt.js';
import { splitStatements } from '../../sql/statements.js';
import { type Block, blocks, root } from '../unit/docs/pages.js';
import { useSandbox } from './fixture.js';
import { testTables } from './tables.js';

/**
 * Every `npx firn` line and every SQL statement of the pages, run as it stands there, but for these words: the pages' database `clr` is
 * `docs` here, read from the same source, so that the other tests find their tables as they left them; `prod` is the sandbox's `dev`.
 */
const words: [RegExp, string][] = [
  [/'clr'/g, "'docs'"],
  [/\bPostgreSQL clr\b/g, 'PostgreSQL docs'],
  [/\bstaging_clr\b/g, 'staging_docs'],
  [/\bPROD_FIRN\b/g, 'DEV_FIRN'],
  [/--env prod\b/g, '--env dev'],
];

/** They would end the sandbox that the tests run in, or start it anew: only that the command is there is checked. */
const notOurs = /^npx firn sandbox (up|down|reset)\b.*/;

const firn = useSandbox();
const folder = mkdtempSync(join(tmpdir(), 'firn-docs-'));
const config = (name: string): string => join(folder, 'config', name);
let succeeded: string;

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
  const [row] = await firn.warehouse.query("SELECT ingest_table('PostgreSQL', 'docs', 'airlines') AS receipt");
  return row!.RECEIPT as Receipt;
}

async function failedRun(): Promise<string> {
  await firn.source.query('REVOKE SELECT ON airlines FROM firn');
  const { status, run_id } = await ingest().finally(() => firn.source.query('GRANT SELECT ON airlines TO firn'));
  expect(status).toBe('FAILED');
  return run_id;
}

async function filledIn(text: string): Promise<string> {
  const replaced = words.reduce((before, [word, ours]) => before.replace(word, ours), text.replaceAll('<run id>', succeeded));
  return replaced.includes('<failed run id>') ? replaced.replaceAll('<failed run id>', await failedRun()) : replaced;
}

beforeAll(async () => {
  const source = { source: 'PostgreSQL', database: 'docs', type: 'postgres', secret: firn.sandbox.postgres.secret };
  const incremental = { mode: 'incremental', cursor_column: 'updated_at' };
  const shop = ['customers', 'orders', 'payments'].map((table) => ({ table, ...incremental }));
  const others = { source: 'PostgreSQL', database: 'clr', type: 'postgres', permits: 4 };
  mkdirSync(join(folder, 'config'));
  copyFileSync(join(root, 'config/tables.yaml'), config('tables.yaml'));
  const tests = testTables.map(({ table, config: settings }) => ({ table, ...settings }));
  writeFileSync(config('tests.yaml'), stringify({ sources: [{ ...others, tables: tests }] }));
  writeFileSync(config('docs.yaml'), stringify({ sources: [{ ...source, tables: [{ table: 'airlines' }, ...shop] }] }));
  await run('npx firn config push');
  succeeded = (await ingest()).run_id;
});

afterAll(async () => {
  rmSync(config('docs.yaml'));
  await run('npx firn config push');
  rmSync(folder, { recursive: true });
});

const titled = (language: string): [string, Block][] =>
  blocks.filter((block) => block.language === language).map((block) => [`${block.page}: ${block.lines.join(' ⏎ ')}`, block]);

describe('commands of the pages', () => {
  it.each(titled('sh'))('%s', async (_, { lines }) => {
    for (const line of lines) await run(await filledIn(line.replace(notOurs, 'npx firn sandbox $1 --help')));
  });
});

/** Receipts anywhere in the answer that tell of an error. */
function errorsIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const { error } = value as { error?: unknown };
  return [...(error ? [error] : []), ...Object.values(value).flatMap(errorsIn)];
}

describe('SQL of the pages', () => {
  it.each(titled('sql'))('%s', async (_, { lines }) => {
    for (const statement of splitStatements(lines.join('\n'))) {
      const sql = await filledIn(statement);
      const answer: unknown = JSON.parse(await run(`npx firn sql ${quoted(sql)} --json`));
      expect(errorsIn(answer), sql).toEqual([]);
    }
  });
});

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
