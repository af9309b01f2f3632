import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createCommittedView,
  createPipe,
  createRawTable,
  createStagingTable,
  evolveTable,
  stagingDefinitions,
} from '../../../core/warehouse/ddl.js';
import { findInexactJson, findUnparsableJson } from '../../../core/warehouse/json-values.js';
import { keyRanges, summariseWorkTable } from '../../../core/warehouse/key-range.js';
import * as merge from '../../../core/warehouse/merge.js';
import * as gather from '../../../core/warehouse/work-table.js';
import { pythonPath } from '../../../sandbox/paths.js';
import { bundleSql } from '../../../sql/bundle.js';
import { deployModels } from '../../../sql/gold-model.js';
import { renderSql } from '../../../sql/statements.js';
import { column, id, json, note, planOf } from './table.js';

/** sqlfluff's grammar of Snowflake: stricter than sqlglot's, which lets what it does not know pass. */
const sqlfluff = process.env.FIRN_SQLFLUFF ?? join(dirname(pythonPath()), 'sqlfluff');

const values = {
  apiUrl: 'https://x.execute-api.eu-west-1.amazonaws.com/prod',
  apiIntegration: 'FIRN_DEV_API',
  apiRoleArn: 'arn:aws:iam::111122223333:role/firn-dev-api',
  storageIntegration: 'FIRN_DEV_S3',
  storageRoleArn: 'arn:aws:iam::111122223333:role/firn-dev-storage',
  bucket: 'firn-dev-raw',
  exportsBucket: 'firn-dev-exports',
  rawRetentionDays: '30',
  warehouse: 'FIRN_WH',
};

function statements(): Record<string, string> {
  const bundle = bundleSql();
  const named: Record<string, string> = {};
  const add = (name: string, list: string[]) => {
    for (const [index, sql] of list.entries()) named[`${name}-${index}`] = sql;
  };
  add('history', bundle.history);
  for (const { name, statements: list } of bundle.migrations) add(name, list);
  add(
    'procedure',
    bundle.procedures.map(({ sql }) => sql),
  );
  add(
    'function',
    bundle.functions.map(({ sql }) => renderSql(sql, values)),
  );
  // sqlfluff does not know ALTER API INTEGRATION, which stands in Snowflake's reference.
  const { apiPrefix: _, ...setup } = bundle.setup;
  add(
    'setup',
    Object.values(setup).map((sql) => renderSql(sql, values)),
  );
  add(
    'task',
    bundle.tasks.map(({ sql }) => renderSql(sql, values)),
  );
  add(
    'gold',
    bundle.gold.map(({ query }) => query),
  );
  add(
    'models',
    deployModels(bundle.gold).map(({ sql }) => sql.replaceAll('?', 'NULL')),
  );

  const at = column('AT', 'TIMESTAMP_LTZ(6)', { staging: 'TIMESTAMP_TZ(6)', convert: 'utc' });
  const plan = planOf('orders', 7, { columns: [id, note, json, at, column('we"ird', 'VARCHAR')] });
  const held = [{ name: 'NOTE', dataType: 'TEXT', precision: null, scale: null, length: 10 }];
  add('table', [
    createRawTable(plan),
    createStagingTable(plan),
    createCommittedView(plan),
    createPipe(plan),
    ...evolveTable('STAGING_CLR', 'ORDERS', held, stagingDefinitions(plan)).statements,
  ]);
  const ranges = keyRanges(plan, { MIN_0: '1', MAX_0: '9' });
  for (const [name, one] of Object.entries({
    key: plan,
    soft: planOf('orders', 7, { deletes: { how: 'soft' } }),
    nullable: planOf('orders', 7, { columns: [id, note], primaryKey: ['ID', 'NOTE'] }),
  })) {
    add(`merge-${name}`, [
      gather.checkLoadedFiles(one, ['R1', 'R2']),
      gather.findRepeatedKey(one, 'R1'),
      gather.createWorkTable(one, 'FIRN.W', ['R1', 'R2']),
      gather.createKeyTable(one, 'FIRN.W_KEYS', 'FIRN.W', 'R1'),
      merge.forgetGoneRows(one, 'FIRN.W_KEYS', 'FIRN.W'),
      summariseWorkTable(one, 'FIRN.W'),
      merge.mergeWorkTable(one, 'FIRN.W', ranges),
      merge.compareWorkTable(one, 'FIRN.W', ranges),
      merge.countGoneRows(one, 'FIRN.W'),
      merge.deleteGoneRows(one, 'FIRN.W', 'R1'),
    ]);
  }
  add('merge-json', [findUnparsableJson(plan, ['R1']) ?? '', findInexactJson(plan, ['R1']) ?? '']);
  const keyless = planOf('orders', 7, { primaryKey: [] });
  add('merge-keyless', [
    gather.createWorkTable(keyless, 'FIRN.W', ['R1']),
    merge.countStaging(keyless),
    ...merge.replaceRows(keyless, 'FIRN.W'),
  ]);
  return named;
}

/** Names of the files that sqlfluff cannot parse. */
async function unparsable(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    sqlfluff,
    ['lint', '--dialect', 'snowflake', '--rules', 'LT12', '--format', 'json', folder],
    {
      maxBuffer: 1e8,
    },
  ).catch((error) => error as { stdout: string });
  const files = JSON.parse(stdout) as { filepath: string; violations: { code: string }[] }[];
  return files
    .filter(({ violations }) => violations.some(({ code }) => code === 'PRS'))
    .map(({ filepath }) => filepath.replace(/.*\//, ''));
}

describe('sqlfluff', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'firn-sql-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('parses each statement that Firn sends', { timeout: 120_000 }, async () => {
    mkdirSync(join(folder, 'good'));
    for (const [name, sql] of Object.entries(statements())) {
      // An empty NULL_IF is in Snowflake's reference, but not in sqlfluff's grammar.
      writeFileSync(join(folder, 'good', `${name}.sql`), `${sql.replace('NULL_IF = ()', '')}\n`);
    }
    expect(await unparsable(join(folder, 'good'))).toEqual([]);
  });

  it('would notice', { timeout: 60_000 }, async () => {
    mkdirSync(join(folder, 'bad'));
    writeFileSync(
      join(folder, 'bad', 'merge.sql'),
      `${merge.mergeWorkTable(planOf('t', 1), 'FIRN.W', []).replace('WHEN NOT MATCHED', 'WHEN MISSING')}\n`,
    );
    writeFileSync(join(folder, 'bad', 'pipe.sql'), `${createPipe(planOf('t', 1)).replace('COPY INTO', 'COPY OUT OF')}\n`);
    expect((await unparsable(join(folder, 'bad'))).sort()).toEqual(['merge.sql', 'pipe.sql']);
  });
});
