import { distance } from 'fastest-levenshtein';
import * as z from 'zod';
import type { KeyPath } from './problem.js';
import { configFileSchema } from './schema.js';

export interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  enum?: string[];
  default?: unknown;
  required?: string[];
}

/** The keys that a file of this schema may hold. */
export const keyTree = (schema: z.ZodType): JsonSchema => z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;

const sourcesFile = keyTree(configFileSchema);

/** The schema as a list: every key that a configuration file may hold, e.g. `sources[].tables[].columns.rename`. */
function allKeys(schema: JsonSchema, prefix = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const path = `${prefix}${key}`;
    return [path, ...allKeys(child, `${path}.`), ...(child.items ? allKeys(child.items, `${path}[].`) : [])];
  });
}

/** Keys that the object at `path` may hold. */
function keysAt(path: KeyPath, file: JsonSchema): string[] {
  let schema: JsonSchema | undefined = file;
  for (const part of path) schema = typeof part === 'number' ? schema?.items : schema?.properties?.[part];
  return Object.keys(schema?.properties ?? {});
}

/** The candidate that was probably meant; null when none is near. */
export function nearest(word: string, candidates: string[]): string | null {
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, '');
  const ranked = candidates
    .map((candidate) => ({ candidate, away: distance(plain(word), plain(candidate)) }))
    .filter(({ candidate, away }) => away <= Math.max(1, Math.floor(plain(candidate).length / 3)))
    .sort((a, b) => a.away - b.away);
  return ranked[0]?.candidate ?? null;
}

/** What to say about a key that is not known at `path`. */
export function unknownKey(key: string, path: KeyPath, file = sourcesFile): string {
  const here = keysAt(path, file);
  const meant = nearest(key, here);
  if (meant) return `unknown key "${key}". Did you mean "${meant}"?`;
  const elsewhere = allKeys(file).find((known) => known.endsWith(`.${key}`));
  if (elsewhere) return `unknown key "${key}" here: it belongs at ${elsewhere}`;
  return `unknown key "${key}": expected one of ${here.join(', ')}`;
}
