import { Command } from 'commander';
import type { GlobalOptions } from './main.js';
import { colors, print, printJson } from './output.js';

const validate = new Command('validate')
  .description('Check configuration files. Needs no environment.')
  .argument('[files...]', 'YAML files; default: config/*.yaml')
  .addHelpText('after', '\nExamples:\n  $ firn config validate\n  $ firn config validate config/tables.yaml --json')
  .action(async (files: string[], _options, command: Command) => {
    const { loadConfig } = await import('../core/config/load.js');
    const { configFiles } = await import('../core/config/files.js');
    const { sources, tables } = await loadConfig(files.length > 0 ? files : await configFiles());
    if (command.optsWithGlobals<GlobalOptions>().json) printJson({ valid: true, sources: sources.length, tables: tables.length });
    else print(`${colors.green('valid')}: ${counted(tables.length, 'table')} of ${counted(sources.length, 'source')}`);
  });

const push = new Command('push')
  .description(
    'Show what differs from what was pushed before, then make the files count: in DynamoDB for the functions, in FIRN.TABLES for SQL.',
  )
  .argument('[files...]', 'YAML files; default: config/*.yaml, and then tables that no file names are removed')
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
