import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Change, FieldChange } from '../core/config/diff.js';
import { configFiles, exportFiles, partFiles } from '../core/config/files.js';
import { loadConfig } from '../core/config/load.js';
import { preparePush, push } from '../core/config/push.js';
import { loadExports } from '../core/export/load.js';
import { diffSets, readSets, type SetChange, writeSets } from '../core/export/store.js';
import { openEnvironment } from './environment.js';
import type { GlobalOptions } from './global-options.js';
import { colors, print, printJson } from './output.js';
import { withSnowflake } from './snowflake-session.js';

/** `firn config push`. */
export async function pushConfig(files: string[], options: GlobalOptions & { dryRun?: boolean }): Promise<void> {
  const parted = files.length > 0 ? await partFiles(files) : { sources: await configFiles(), exports: await exportFiles() };
  const wanted = await loadConfig(parted.sources);
  const sets = await loadExports(parted.exports);
  const environment = await openEnvironment(options);
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } });
  const store = { documents, table: environment.output('TableConfig') };
  // Files named one by one say nothing about the tables of the others.
  const absent = files.length > 0 ? 'keep' : 'remove';
  const prepared = await preparePush(store, wanted, absent);
  const exports = diffSets(await readSets(store), sets, absent);
  if (!options.json)
    print([...changesText(prepared.changes), ...setsText(exports)].join('\n') || 'Nothing differs from what was pushed before.');

  const recorded = options.dryRun
    ? null
    : parted.sources.length === 0
      ? 0
      : await withSnowflake(environment.name, (warehouse) => push(store, (sql, binds) => warehouse.query(sql, binds), prepared));
  if (!options.dryRun) await writeSets(store, sets, exports);
  const { changes } = prepared;
  if (options.json) return printJson({ environment: environment.name, pushed: recorded !== null, changes, exports, recorded });
  if (recorded === null) return print(colors.dim('Nothing was pushed: --dry-run'));
  if (changes.length + exports.length > 0) print(`${colors.green('pushed')} to ${environment.name}`);
  else if (recorded > 0) print(`${colors.green('recorded')} in Snowflake what an earlier push had left out`);
}

const signs = { added: colors.green('+'), changed: colors.yellow('~'), removed: colors.red('-') };

function changesText(changes: Change[]): string[] {
  return changes.flatMap(({ change, source, database, table, fields }) => [
    `${signs[change]} ${source}/${database}${table === null ? '' : `/${table}`}${change === 'removed' ? '  (its data stays in Snowflake)' : ''}`,
    ...fields.filter(({ key }) => change !== 'added' || told(key)).map((field) => `    ${fieldText(field)}`),
  ]);
}

const setsText = (changes: SetChange[]): string[] =>
  changes.map(
    ({ change, name, exports }) =>
      `${signs[change]} exports ${name} (${exports})${change === 'removed' ? '  (its objects stay on S3)' : ''}`,
  );

/** Of something new, only what is not plain from its name or a default of long standing. */
const told = (key: string): boolean =>
  ['mode', 'cursor_column', 'primary_key', 'row_filter', 'type', 'permits'].includes(key.split('.')[0]!);

function fieldText({ key, before, after }: FieldChange): string {
  const value = (one: unknown) => (one === undefined ? colors.dim('not set') : JSON.stringify(one));
  return before === undefined ? `${key}: ${value(after)}` : `${key}: ${value(before)} → ${value(after)}`;
}
