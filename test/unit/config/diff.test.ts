import { describe, expect, it } from 'vitest';
import { diffConfig, type StoredSource } from '../../../core/config/diff.js';
import { configKey, type SourceSettings, type TableConfig, tableConfigSchema } from '../../../core/config/schema.js';

const settings: SourceSettings = { source: 'PostgreSQL', database: 'clr', type: 'postgres', permits: 4 };
const orders = tableConfigSchema.parse({ table: 'orders', mode: 'incremental', cursor_column: 'updated_at' });
const planes = tableConfigSchema.parse({ table: 'planes', columns: { exclude: ['engine'] } });

const stored = (...configs: TableConfig[]): Map<string, StoredSource> =>
  new Map([
    [
      configKey('PostgreSQL', 'clr'),
      { settings, version: 3, tables: new Map(configs.map((config) => [config.table, { config, version: 3 }])) },
    ],
  ]);
const wanted = (configs: TableConfig[], of = settings) => ({
  sources: [of],
  tables: configs.map((config) => ({ source: 'PostgreSQL', database: 'clr', config })),
});
const place = { source: 'PostgreSQL', database: 'clr' };

describe('the difference between what was pushed and the files', () => {
  it('is nothing when they say the same', () => {
    expect(diffConfig(stored(orders, planes), wanted([planes, orders]), 'remove')).toEqual([]);
  });

  it('names each key that changed, with both values', () => {
    const full = tableConfigSchema.parse({ table: 'orders' });
    expect(diffConfig(stored(orders), wanted([full]), 'remove')).toEqual([
      {
        change: 'changed',
        ...place,
        table: 'orders',
        fields: [
          { key: 'mode', before: 'incremental', after: 'full' },
          { key: 'cursor_column', before: 'updated_at', after: undefined },
        ],
      },
    ]);
  });

  it('looks into nested keys and takes a list as a whole', () => {
    const changed = tableConfigSchema.parse({ table: 'planes', columns: { exclude: ['engine', 'speed'], rename: { type: 'KIND' } } });
    expect(diffConfig(stored(planes), wanted([changed]), 'remove')[0]!.fields).toEqual([
      { key: 'columns.exclude', before: ['engine'], after: ['engine', 'speed'] },
      { key: 'columns.rename.type', before: undefined, after: 'KIND' },
    ]);
  });

  it('begins with the settings of a source', () => {
    expect(diffConfig(stored(orders), wanted([orders], { ...settings, permits: 8 }), 'remove')).toEqual([
      { change: 'changed', ...place, table: null, fields: [{ key: 'permits', before: 4, after: 8 }] },
    ]);
  });

  it('adds a source with its tables', () => {
    const changes = diffConfig(new Map(), wanted([orders, planes]), 'remove');
    expect(changes.map(({ change, table }) => [change, table])).toEqual([
      ['added', null],
      ['added', 'orders'],
      ['added', 'planes'],
    ]);
  });

  it('removes what no file names', () => {
    const changes = diffConfig(stored(orders, planes), wanted([orders]), 'remove');
    expect(changes).toEqual([{ change: 'removed', ...place, table: 'planes', fields: [] }]);
  });

  it('keeps it when only some files are pushed', () => {
    expect(diffConfig(stored(orders, planes), wanted([orders]), 'keep')).toEqual([]);
  });
});
