import { Command } from 'commander';
import { exitCodes } from './exit-codes.js';
import type { GlobalOptions } from './main.js';
import { print, printable, printJson } from './output.js';

export const planCommand = new Command('plan')
  .description('Show what a run of a table would do. Nothing is written.')
  .argument('<source>', 'name of the source in the configuration')
  .argument('<database>', 'its database')
  .argument('<table>', 'table')
  .addHelpText('after', '\nExamples:\n  $ firn plan PostgreSQL clr orders')
  .action(async (source: string, database: string, table: string, _options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const [{ openEnvironment }, { callStart }, { stringify }] = await Promise.all([
      import('./environment.js'),
      import('./start-function.js'),
      import('yaml'),
    ]);
    const environment = await openEnvironment(options);
    const [plan] = await callStart<{ error?: unknown }>(environment, '/plan', [[source, database, table]]);
    if (options.json) printJson(plan);
    else print(printable(stringify(plan).trimEnd()));
    if (plan?.error) process.exitCode = exitCodes.failed;
  });
