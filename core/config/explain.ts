import type * as z from 'zod';
import { type JsonSchema, nearest, unknownKey } from './known-keys.js';
import type { KeyPath } from './problem.js';

/** What zod found, said in the words of the configuration file. */
export interface Explanation {
  path: KeyPath;
  /** Whether the place to show is that of the key or of the value. */
  of: 'key' | 'value';
  message: string;
}

const shown = (value: unknown): string => {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? `"${value}"` : `the ${typeof value} ${value}`;
};

const nouns: Record<string, string> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of names to names',
};

const choiceOf = (choices: unknown[]): string => `${choices.length > 1 ? 'one of ' : ''}${choices.join(', ')}`;

function valueAt(data: unknown, path: KeyPath): { there: boolean; value: unknown } {
  let value: unknown = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return { there: false, value: undefined };
    value = (value as Record<string | number, unknown>)[part];
  }
  return { there: true, value };
}

function expectation(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type': {
      const quote = issue.expected === 'string' && ['number', 'boolean'].includes(typeof value) ? `; put it in quotes: "${value}"` : '';
      return `expected ${nouns[issue.expected] ?? issue.expected}, got ${shown(value)}${quote}`;
    }
    case 'invalid_value': {
      const choices = issue.values.map(String);
      const meant = typeof value === 'string' ? nearest(value, choices) : null;
      return `expected ${choiceOf(choices)}; got ${shown(value)}${meant ? `. Did you mean "${meant}"?` : ''}`;
    }
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty';
      if (issue.origin === 'array') return `needs at least ${issue.minimum === 1 ? 'one entry' : `${issue.minimum} entries`}`;
      return `must be at least ${issue.minimum}, got ${value}`;
    case 'too_big':
      return issue.origin === 'string' ? `must have at most ${issue.maximum} characters` : `must be at most ${issue.maximum}, got ${value}`;
    case 'invalid_format':
      return `expected ${issue.message}; got ${shown(value)}`;
    case 'invalid_union':
      return `expected ${issue.errors.flatMap((branch) => branch.map((one) => expectation(one, value))).join(', or ')}`;
    case 'invalid_key':
      return issue.issues.map((one) => expectation(one, value)).join(', ');
    default:
      return issue.message;
  }
}

/**
 * A zod issue about `data`; several where it names several unknown keys.
 * @param file the keys of its kind of file; those of sources and tables where it is left out
 */
export function explain(issue: z.core.$ZodIssue, data: unknown, file: JsonSchema): Explanation[] {
  const path = issue.path as KeyPath;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], of: 'key', message: unknownKey(key, path, file) }));
  }
  const { there, value } = valueAt(data, path);
  if (!there) {
    const expected = issue.code === 'invalid_value' ? `: expected ${choiceOf(issue.values)}` : '';
    return [{ path: path.slice(0, -1), of: 'value', message: `the key "${String(path.at(-1))}" is missing${expected}` }];
  }
  return [{ path, of: 'value', message: expectation(issue, value) }];
}
