import { readdir } from 'node:fs/promises';
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
