import { type ConfigText, fileChecker, readTexts } from './checked-file.js';
import { type ConfiguredTable, collisions } from './collisions.js';
import { ConfigInvalid, keyText, type Place, type Problem } from './problem.js';
import { configFileSchema, configKey, type SourceSettings } from './schema.js';
import { checkTable } from './table-checks.js';

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

/** Reads and checks configuration files together. Throws ConfigInvalid with all their problems. */
export async function loadConfig(files: string[]): Promise<LoadedConfig> {
  return parseConfig(await readTexts(files));
}

/** Throws ConfigInvalid. */
export function parseConfig(texts: ConfigText[]): LoadedConfig {
  const problems: Problem[] = [];
  const sources = new Map<string, { settings: SourceSettings; place: Place }>();
  const tables: LoadedTable[] = [];

  const check = fileChecker(configFileSchema, 'sources', problems);

  for (const text of texts) {
    const checked = check(text);
    if (checked === null) continue;
    const { data, place, problem } = checked;
    for (const [sourceIndex, { tables: configs, ...settings }] of data.sources.entries()) {
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
      if (!before) sources.set(id, { settings, place: place(path) });
      for (const [tableIndex, config] of configs.entries()) {
        const tablePath = [...path, 'tables', tableIndex];
        const { source, database } = settings;
        tables.push({ source, database, config, place: place(tablePath), key: keyText(tablePath) });
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
