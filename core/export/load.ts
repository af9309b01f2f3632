import { basename, relative } from 'node:path';
import { type ConfigText, fileChecker, readTexts } from '../config/checked-file.js';
import { ConfigInvalid, keyText, type Place, type Problem } from '../config/problem.js';
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

/** Reads and checks files of exports together. Throws ConfigInvalid with all their problems. */
export async function loadExports(files: string[]): Promise<ExportSet[]> {
  return parseExports(await readTexts(files));
}

/** Throws ConfigInvalid. */
export function parseExports(texts: ConfigText[]): ExportSet[] {
  const problems: Problem[] = [];
  const sets: ExportSet[] = [];
  const places: (Place & { key: string; path: string })[] = [];
  const check = fileChecker(exportsFileSchema, 'exports', problems);
  for (const text of texts) {
    const checked = check(text);
    if (checked === null) continue;
    const { place, problem } = checked;
    const { exports } = checked.data;
    for (const [index, config] of exports.entries()) {
      for (const found of checkExport(config)) problem(['exports', index, ...found.path], found.message);
      const path = ['exports', index, 's3_path'];
      places.push({ ...place(path), key: keyText(path), path: config.s3_path });
    }
    const twin = sets.find(({ name }) => name === setName(text.file));
    if (twin) problem([], `${twin.path} has the same name, ${twin.name}: exports are called by it`);
    sets.push({ name: setName(text.file), path: relative('', text.file).replaceAll('\\', '/'), exports });
  }
  const meeting = meetingPaths(places.map(({ path }) => path));
  if (meeting) {
    const { path: _, ...here } = places[meeting.index]!;
    const other = places[meeting.other]!;
    problems.push({ ...here, message: `${meeting.message} (at ${other.file}:${other.line})` });
  }
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return sets;
}
