import { Command } from 'commander';
import type { GlobalOptions } from './global-options.js';
import { colors, print, printJson } from './output.js';

const validate = new Command('validate')
  .description('Check configuration files. Needs no environment.')
  .argument('[files...]', 'YAML files; default: config/*.yaml and config/exports/*.yaml')
  .addHelpText('after', '\nExamples:\n  $ firn config validate\n  $ firn config validate config/tables.yaml --json')
  .action(async (files: string[], _options, command: Command) => {
    const { loadConfig } = await import('../core/config/load.js');
    const { configFiles, exportFiles, partFiles } = await import('../core/config/files.js');
    const { loadExports } = await import('../core/export/load.js');
    const parted = files.length > 0 ? await partFiles(files) : { sources: await configFiles(), exports: await exportFiles() };
    const { sources, tables } = await loadConfig(parted.sources);
    const exports = (await loadExports(parted.exports)).flatMap((set) => set.exports);
    if (command.optsWithGlobals<GlobalOptions>().json) {
      return printJson({ valid: true, sources: sources.length, tables: tables.length, exports: exports.length });
    }
    const found = [
      ...(parted.sources.length > 0 ? [`${counted(tables.length, 'table')} of ${counted(sources.length, 'source')}`] : []),
      ...(exports.length > 0 ? [counted(exports.length, 'export')] : []),
    ];
    print(`${colors.green('valid')}: ${found.join(', ')}`);
  });

const push = new Command('push')
  .description(
    'Show what differs from what was pushed before, then make the files count: in DynamoDB for the functions, in FIRN.TABLES for SQL.',
  )
  .argument(
    '[files...]',
    'YAML files; default: config/*.yaml and config/exports/*.yaml, and then tables and exports that no file names are removed',
  )
  .option('--dry-run', 'show the difference only')
  .addHelpText(
    'after',
    `
Examples:
  $ firn config push --env dev --dry-run
  $ firn config push --env dev
  $ firn config push config/tables.yaml

A removed table keeps its data in Snowflake; it can no longer be ingested.`,
  )
  .action(async (files: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions & { dryRun?: boolean }>();
    const { pushConfig } = await import('./config-push.js');
    await pushConfig(files, options);
  });

export const configCommand = new Command('config')
  .description('Check the configuration files and push them to an environment. Keys: docs/configuration.md')
  .addCommand(validate)
  .addCommand(push);

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
