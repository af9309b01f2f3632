import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseConfig } from '../../../core/config/load.js';
import { configFileSchema } from '../../../core/config/schema.js';

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  required?: string[];
  default?: unknown;
  enum?: string[];
  const?: string;
}

const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
const file = z.toJSONSchema(configFileSchema, { io: 'input' }) as JsonSchema;
const source = file.properties!.sources!.items!;
const table = source.properties!.tables!.items!;

/** Each key with its default as the page should show it, and its choices where it has some. */
function keysOf(schema: JsonSchema, prefix = ''): { key: string; default: string; choices: string[] | null }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => [
    {
      key: `${prefix}${name}`,
      default: schema.required?.includes(name) ? 'required' : child.default === undefined ? '' : `\`${child.default}\``,
      choices: child.enum ?? (child.const ? [child.const] : null),
    },
    ...keysOf({ properties: child.properties, required: child.required }, `${prefix}${name}.`),
  ]);
}

function rowsOf(heading: string): { key: string; values: string; default: string }[] {
  const section = page.split('\n## ').find((part) => part.startsWith(heading))!;
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => {
    const [, key, values, fallback] = row.split('|').map((cell) => cell.trim());
    return { key: key!.replaceAll('`', ''), values: values!, default: fallback! };
  });
}

describe('docs/configuration.md', () => {
  it.each([
    ['A source', source],
    ['A table', table],
  ])('%s: lists every key in the order of the schema, with its default and choices', (heading, schema) => {
    const rows = rowsOf(heading);
    const keys = keysOf(schema);
    expect(rows.map(({ key, default: shown }) => ({ key, default: shown }))).toEqual(
      keys.map(({ key, default: is }) => ({ key, default: is })),
    );
    for (const [index, { choices }] of keys.entries()) {
      if (choices) expect(rows[index]!.values).toBe(choices.map((choice) => `\`${choice}\``).join(', '));
    }
  });

  it('shows examples that are valid', () => {
    const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text!);
    expect(examples).not.toEqual([]);
    for (const text of examples) expect(() => parseConfig([{ file: 'example.yaml', text }])).not.toThrow();
  });
});
