import { Command } from 'commander';
import type { GlobalOptions } from './main.js';
import { print, printJson } from './output.js';

export const sqlCommand = new Command('sql')
  .description("Run one statement in Snowflake as Firn's user, in its database and schema FIRN, and print the rows.")
  .argument('<statement>', 'one SQL statement')
  .addHelpText(
    'after',
    `
Examples:
  $ firn sql "SELECT ingest_table('PostgreSQL', 'clr', 'orders')"
  $ firn sql "SELECT table_name, mode FROM firn.tables" --json`,
  )
  .action(async (statement: string, _options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const [{ openEnvironment }, { withSnowflake }, { rowsTable }] = await Promise.all([
      import('./environment.js'),
      import('./snowflake-session.js'),
      import('./rows.js'),
    ]);
    const environment = await openEnvironment(options);
    const rows = await withSnowflake(environment.name, (warehouse) => warehouse.query(statement));
    if (options.json) printJson(rows);
    else print(rowsTable(rows));
  });
