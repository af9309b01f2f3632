import { readFile } from 'node:fs/promises';
import { type ConfiguredTable, collisions } from './collisions.js';
import { explain } from './explain.js';
import { ConfigInvalid, type KeyPath, keyText, type Place, type Problem } from './problem.js';
import { configFileSchema, configKey, type SourceSettings } from './schema.js';
import { checkTable } from './table-checks.js';
import { readYaml } from './yaml-text.js';

/** What some configuration files say together. */
export interface LoadedConfig {
  sources: SourceSettings[];
  tables: LoadedTable[];
}

export interface LoadedTable extends ConfiguredTable {
  place: Place;
  /** Path of the table's entry in its file. */
  key: string;
}

/** Text of a configuration file, and the name by which problems mention it. */
export interface ConfigText {
  file: string;
  text: string;
}

/** Reads and checks configuration files together. Throws ConfigInvalid with all their problems. */
export async function loadConfig(files: string[]): Promise<LoadedConfig> {
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
  return parseConfig(texts);
}

/** Throws ConfigInvalid. */
export function parseConfig(texts: ConfigText[]): LoadedConfig {
  const problems: Problem[] = [];
  const sources = new Map<string, { settings: SourceSettings; place: Place }>();
  const tables: LoadedTable[] = [];

  for (const { file, text } of texts) {
    const yaml = readYaml(file, text);
    const problem = (path: KeyPath, message: string, of: 'key' | 'value' = 'value') =>
      problems.push({ ...yaml.place(path, of), key: keyText(path), message });
    problems.push(...yaml.problems);
    if (yaml.problems.length > 0) continue;
    if (yaml.data === null) {
      problem([], 'the file is empty: expected the key "sources"');
      continue;
    }
    const parsed = configFileSchema.safeParse(yaml.data);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) for (const { path, message, of } of explain(issue, yaml.data)) problem(path, message, of);
      continue;
    }
    for (const [sourceIndex, { tables: configs, ...settings }] of parsed.data.sources.entries()) {
      const path = ['sources', sourceIndex];
      const id = configKey(settings.source, settings.database);
      const before = sources.get(id);
      const differing = before && differingSetting(before.settings, settings);
      if (differing) {
        problem(
          path,
          `${differing} of ${settings.source}/${settings.database} is not the same as at ${before.place.file}:${before.place.line}`,
        );
      }
      if (!before) sources.set(id, { settings, place: yaml.place(path) });
      for (const [tableIndex, config] of configs.entries()) {
        const tablePath = [...path, 'tables', tableIndex];
        const { source, database } = settings;
        tables.push({ source, database, config, place: yaml.place(tablePath), key: keyText(tablePath) });
        for (const found of checkTable(config)) problem([...tablePath, ...found.path], found.message);
      }
    }
  }
  for (const { table, other, message } of collisions(tables)) {
    problems.push({ ...table.place, key: table.key, message: `${message} (the other stands at ${other.place.file}:${other.place.line})` });
  }
  if (problems.length > 0) throw new ConfigInvalid(inOrder(problems, texts));
  return { sources: [...sources.values()].map(({ settings }) => settings), tables };
}

/** A source may be spread over several files or entries, but has one set of settings. */
function differingSetting(a: SourceSettings, b: SourceSettings): string | undefined {
  return (['type', 'secret', 'permits'] as const).find((key) => a[key] !== b[key]);
}

function inOrder(problems: Problem[], texts: ConfigText[]): Problem[] {
  const rank = (problem: Problem) => texts.findIndex(({ file }) => file === problem.file);
  return problems.sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}
