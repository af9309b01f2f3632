import { Command } from 'commander';
import type { GlobalOptions } from './global-options.js';
import { colors, print, printAside, printJson } from './output.js';

export const exportCommand = new Command('export')
  .description(
    'Write tables and queries from Snowflake to S3, as a file of exports says. What differs from what was pushed is pushed first.',
  )
  .option('--config <file>', 'file of exports', 'config/exports.yaml')
  .option('--only <table...>', 'only the exports with these names')
  .option('--dry-run', 'push and write nothing: show what Snowflake would do, and what it has against it')
  .addHelpText(
    'after',
    `
Examples:
  $ firn export
  $ firn export --config config/exports/daily.yaml --only ORDERS CUSTOMERS
  $ firn export --dry-run

Ends with 1 when any export failed. Ctrl-C ends the waiting, not the exports.`,
  )
  .action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions & { config: string; only?: string[]; dryRun?: boolean }>();
    const { chosenExports, loadExports } = await import('../core/export/load.js');
    const [set] = await loadExports([options.config]);
    const chosen = chosenExports(set!, options.only);
    const [{ openEnvironment }, { planTable, summaryTable, summaryExit }] = await Promise.all([
      import('./environment.js'),
      import('./exports-table.js'),
    ]);
    const environment = await openEnvironment(options);
    if (options.dryRun) {
      const { explainInEnvironment } = await import('./exports-run.js');
      const plans = await explainInEnvironment(environment, chosen);
      process.exitCode = plans.some(({ error }) => error) ? 1 : 0;
      return options.json ? printJson(plans) : print(planTable(plans));
    }
    const { pushSet, runExports } = await import('./exports-run.js');
    if (await pushSet(environment, set!)) printAside(`${colors.green('pushed')} ${set!.path} to ${environment.name}`);
    const summary = await runExports(environment, set!, options.only);
    process.exitCode = summaryExit(summary);
    if (options.json) printJson(summary);
    else print(summaryTable(summary));
  });
