import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configFiles } from '../../../core/config/files.js';
import { loadConfig, parseConfig } from '../../../core/config/load.js';
import { ConfigInvalid } from '../../../core/config/problem.js';
import { badFiles } from './bad-files.js';

const refusal = (text: string): ConfigInvalid => {
  try {
    parseConfig([{ file: 'tables.yaml', text }]);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error;
    throw error;
  }
  throw new Error('the file was accepted');
};

describe('a configuration file is refused with file, line, column, key and what is expected', () => {
  it.each(badFiles)('$name', ({ text, said }) => {
    expect(refusal(text).message.split('\n')).toEqual(said);
  });

  it('names the code that receipts and the CLI know', () => {
    expect(refusal('').toRecord()).toMatchObject({ code: 'ConfigInvalid', remedy: 'configuration' });
  });
});

describe('configuration files', () => {
  it('of the demo are accepted', async () => {
    const { sources, tables } = await loadConfig(await configFiles());
    expect(sources).toEqual([{ source: 'PostgreSQL', database: 'clr', type: 'postgres', permits: 4 }]);
    const modes = Object.fromEntries(tables.map(({ config }) => [config.table, `${config.mode} ${config.cursor_column ?? ''}`.trim()]));
    expect(modes).toEqual({
      flights: 'incremental updated_at',
      airlines: 'full',
      airports: 'full',
      planes: 'full',
      weather: 'full',
      customers: 'incremental updated_at',
      orders: 'incremental updated_at',
      payments: 'incremental updated_at',
      availed_coupon_snapshots: 'full',
      raw_customers: 'full',
      raw_orders: 'full',
      raw_payments: 'full',
      online_retail: 'full',
    });
  });

  it('may share settings by anchors and merge keys', () => {
    const text = `sources:
  - source: PostgreSQL
    database: clr
    type: postgres
    tables:
      - &changing { table: orders, mode: incremental, cursor_column: updated_at }
      - { <<: *changing, table: payments }
`;
    const { tables } = parseConfig([{ file: 'tables.yaml', text }]);
    expect(tables.map(({ config }) => [config.table, config.mode, config.cursor_column])).toEqual([
      ['orders', 'incremental', 'updated_at'],
      ['payments', 'incremental', 'updated_at'],
    ]);
  });

  it('may spread one source over several files', () => {
    const text = (table: string) => `sources: [{ source: PostgreSQL, database: clr, type: postgres, tables: [{ table: ${table} }] }]`;
    const { sources, tables } = parseConfig([
      { file: 'a.yaml', text: text('orders') },
      { file: 'b.yaml', text: text('payments') },
    ]);
    expect(sources).toHaveLength(1);
    expect(tables.map(({ config, place }) => [config.table, place.file])).toEqual([
      ['orders', 'a.yaml'],
      ['payments', 'b.yaml'],
    ]);
  });

  it('may hold databases of one name when target.schema parts them', () => {
    const text = `sources:
  - { source: PostgreSQL, database: clr, type: postgres, tables: [{ table: orders }] }
  - { source: Replica, database: clr, type: postgres, tables: [{ table: orders, target: { schema: replica } }] }`;
    expect(parseConfig([{ file: 'tables.yaml', text }]).tables).toHaveLength(2);
  });

  it('are config/*.yaml without environments and exports', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'firn-config-'));
    for (const name of ['b.yaml', 'a.yml', 'environments.yaml', 'exports.yaml', 'notes.txt']) writeFileSync(join(folder, name), '');
    expect(await configFiles(folder)).toEqual([join(folder, 'a.yml'), join(folder, 'b.yaml')]);
  });

  it('must be there', async () => {
    await expect(loadConfig(['no/such.yaml'])).rejects.toThrow('no/such.yaml:1:1 there is no such file');
    await expect(configFiles('no/such')).rejects.toThrow('no/such/ holds no .yaml file with sources');
  });
});
