import { Command } from 'commander';
import type { Receipt } from '../core/receipt/receipt.js';
import type { GlobalOptions } from './global-options.js';
import { print, printJson } from './output.js';

export const ingestCommand = new Command('ingest')
  .description('Bring tables into Snowflake, as SELECT ingest_table(…) does, and wait for their receipts.')
  .argument('<source>', 'name of the source in the configuration, e.g. PostgreSQL')
  .argument('<database>', 'its database, e.g. clr')
  .argument('<tables...>', 'tables, e.g. orders or sales.orders')
  .option('--full', 'read the whole tables, whatever their mode')
  .addHelpText(
    'after',
    `
Examples:
  $ firn ingest PostgreSQL clr orders
  $ firn ingest PostgreSQL clr orders customers payments --full
  $ firn ingest PostgreSQL clr orders --json

Ends with 1 when any table failed, with 2 when none was started. Ctrl-C ends the waiting, not the runs.`,
  )
  .action(async (source: string, database: string, tables: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions & { full?: boolean }>();
    const [{ openEnvironment }, { callStart }, { followRuns }, { failureExit, receiptsTable }] = await Promise.all([
      import('./environment.js'),
      import('./start-function.js'),
      import('./follow.js'),
      import('./receipts.js'),
    ]);
    const environment = await openEnvironment(options);
    // The run's own steps are followed, so the call itself need not wait.
    const wishes = { wait: false, ...(options.full && { mode: 'full' }) };
    const rows = [...new Set(tables)].map((table) => [source, database, table, wishes]);
    const started = (await callStart<Receipt>(environment, 'ingest', rows))!;
    const receipts = await followRuns(environment, started);
    if (options.json) printJson(receipts);
    else print(receiptsTable(receipts));
    process.exitCode = failureExit(receipts);
  });
