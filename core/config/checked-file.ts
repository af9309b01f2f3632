import { readFile } from 'node:fs/promises';
import type * as z from 'zod';
import { explain } from './explain.js';
import { keyTree } from './known-keys.js';
import { ConfigInvalid, type KeyPath, keyText, type Place, type Problem } from './problem.js';
import { readYaml } from './yaml-text.js';

/** Text of a YAML file, and the name by which problems mention it. */
export interface ConfigText {
  file: string;
  text: string;
}

/** @throws ConfigInvalid */
export async function readTexts(files: string[]): Promise<ConfigText[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        return { file, text: await readFile(file, 'utf8') };
      } catch (error) {
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        const message = missing ? 'there is no such file' : `cannot be read: ${(error as Error).message}`;
        throw new ConfigInvalid([{ file, line: 1, column: 1, key: '', message }]);
      }
    }),
  );
}

/** A file as its schema has it. */
export interface CheckedFile<T> {
  data: T;
  place(path: KeyPath): Place;
  /** Notes what the schema does not say. */
  problem(path: KeyPath, message: string): void;
}

/** Checks files of one schema; `firstKey` is the key that all begin with. Notes in `problems` what is wrong, and answers null for such a file. */
export function fileChecker<S extends z.ZodType>(schema: S, firstKey: string, problems: Problem[]) {
  const keys = keyTree(schema);
  return ({ file, text }: ConfigText): CheckedFile<z.output<S>> | null => {
    const yaml = readYaml(file, text);
    const problem = (path: KeyPath, message: string, of: 'key' | 'value' = 'value') => {
      problems.push({ ...yaml.place(path, of), key: keyText(path), message });
    };
    problems.push(...yaml.problems);
    if (yaml.problems.length > 0) return null;
    if (yaml.data === null) {
      problem([], `the file is empty: expected the key "${firstKey}"`);
      return null;
    }
    const parsed = schema.safeParse(yaml.data);
    if (parsed.success) return { data: parsed.data, place: yaml.place, problem };
    for (const issue of parsed.error.issues) {
      for (const { path, message, of } of explain(issue, yaml.data, keys)) problem(path, message, of);
    }
    return null;
  };
}
