import { readFile } from 'node:fs/promises';
import { basename, relative } from 'node:path';
import { explain } from '../config/explain.js';
import { keyTree } from '../config/known-keys.js';
import { ConfigInvalid, type KeyPath, keyText, type Place, type Problem } from '../config/problem.js';
import { readYaml } from '../config/yaml-text.js';
import { FirnError } from '../errors.js';
import { checkExport, meetingPaths } from './checks.js';
import { type ExportConfig, exportsFileSchema } from './schema.js';

/** What one file of exports says. */
export interface ExportSet {
  /** Name of the file without its ending: first argument of export_tables. */
  name: string;
  /** As it was given, relative to the working directory, with slashes. */
  path: string;
  exports: ExportConfig[];
}

export const setName = (path: string): string => basename(path).replace(/\.ya?ml$/, '');

/** The exports of a set that bear these names; all of them where none is given. @throws FirnError ExportNotConfigured */
export function chosenExports({ name, exports }: Pick<ExportSet, 'name' | 'exports'>, only?: string[]): ExportConfig[] {
  const missing = only?.find((table) => !exports.some((config) => config.table === table));
  if (missing !== undefined) throw new FirnError('ExportNotConfigured', `The exports ${name} have no table ${missing}.`);
  return only ? exports.filter(({ table }) => only.includes(table)) : exports;
}

const keys = keyTree(exportsFileSchema);

/** Reads and checks files of exports together. Throws ConfigInvalid with all their problems. */
export async function loadExports(files: string[]): Promise<ExportSet[]> {
  const texts = await Promise.all(
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
  return parseExports(texts);
}

/** Throws ConfigInvalid. */
export function parseExports(texts: { file: string; text: string }[]): ExportSet[] {
  const problems: Problem[] = [];
  const sets: ExportSet[] = [];
  const places: (Place & { key: string; path: string })[] = [];
  for (const { file, text } of texts) {
    const yaml = readYaml(file, text);
    const problem = (path: KeyPath, message: string, of: 'key' | 'value' = 'value') =>
      problems.push({ ...yaml.place(path, of), key: keyText(path), message });
    problems.push(...yaml.problems);
    if (yaml.problems.length > 0) continue;
    if (yaml.data === null) {
      problem([], 'the file is empty: expected the key "exports"');
      continue;
    }
    const parsed = exportsFileSchema.safeParse(yaml.data);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) {
        for (const { path, message, of } of explain(issue, yaml.data, keys)) problem(path, message, of);
      }
      continue;
    }
    const { exports } = parsed.data;
    for (const [index, config] of exports.entries()) {
      for (const found of checkExport(config)) problem(['exports', index, ...found.path], found.message);
      const path = ['exports', index, 's3_path'];
      places.push({ ...yaml.place(path), key: keyText(path), path: config.s3_path });
    }
    const twin = sets.find(({ name }) => name === setName(file));
    if (twin) problem([], `${twin.path} has the same name, ${twin.name}: exports are called by it`);
    sets.push({ name: setName(file), path: relative('', file).replaceAll('\\', '/'), exports });
  }
  const meeting = meetingPaths(places.map(({ path }) => path));
  if (meeting) {
    const { path: _, ...place } = places[meeting.index]!;
    const other = places[meeting.other]!;
    problems.push({ ...place, message: `${meeting.message} (at ${other.file}:${other.line})` });
  }
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return sets;
}
