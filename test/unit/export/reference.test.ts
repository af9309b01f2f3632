import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseExports } from '../../../core/export/load.js';
import { exportConfigSchema } from '../../../core/export/schema.js';
import { blocksOf, textOf } from '../docs/pages.js';

interface Property {
  default?: unknown;
  enum?: string[];
}

describe('docs/exports.md', () => {
  it('lists every key in the order of the schema, with its default and choices', () => {
    const { properties, required } = z.toJSONSchema(exportConfigSchema, { io: 'input' }) as {
      properties: Record<string, Property>;
      required: string[];
    };
    const rows = textOf('docs/exports.md')
      .split('\n| key |')[1]!
      .split('\n\n')[0]!
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')));
    const shown = (key: string, { default: value }: Property) =>
      required.includes(key) ? 'required' : value === '' ? 'empty' : String(value ?? '');
    expect(rows.map(([, key, , value]) => [key, value])).toEqual(Object.entries(properties).map(([key, one]) => [key, shown(key, one)]));
    for (const [, key, values] of rows) if (properties[key!]!.enum) expect(values).toBe(properties[key!]!.enum!.join(', '));
  });

  it.each(blocksOf('docs/exports.md').filter(({ language }) => language === 'yaml'))('shows valid examples', ({ lines }) => {
    expect(() => parseExports([{ file: 'example.yaml', text: lines.join('\n') }])).not.toThrow();
  });
});
