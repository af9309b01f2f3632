import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FirnError } from '../errors.js';

/** Files in the configuration folder that hold something else than sources and tables. */
const others = new Set(['environments', 'exports']);

/** `config/*.yaml`, sorted. Throws ConfigInvalid when there are none. */
export async function configFiles(folder = 'config'): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => /\.ya?ml$/.test(name) && !others.has(name.replace(/\.ya?ml$/, ''))).sort();
  if (files.length === 0) throw new FirnError('ConfigInvalid', `${folder}/ holds no .yaml file with sources`);
  return files.map((name) => join(folder, name));
}

/** Parts files by what they hold: those with the key `exports` are files of exports, whatever their names. */
export async function partFiles(files: string[]): Promise<{ sources: string[]; exports: string[] }> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  const isOfExports = (_: string, index: number) => /^exports\s*:/m.test(texts[index]!);
  return { sources: files.filter((file, index) => !isOfExports(file, index)), exports: files.filter(isOfExports) };
}

/** Files of exports: `config/exports.yaml` and those of `config/exports/`, sorted. */
export async function exportFiles(folder = 'config'): Promise<string[]> {
  const own = (await readdir(folder).catch(() => [])).filter((name) => /^exports\.ya?ml$/.test(name));
  const more = (await readdir(join(folder, 'exports')).catch(() => [])).filter((name) => /\.ya?ml$/.test(name)).sort();
  return [...own, ...more.map((name) => join('exports', name))].map((name) => join(folder, name));
}
