import { Command } from 'commander';
import { AdvisedError } from './cli-error.js';
import type { GlobalOptions } from './global-options.js';
import { print } from './output.js';

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
    const [{ openEnvironment }, { withSnowflake }, { rowsJson, rowsTable }] = await Promise.all([
      import('./environment.js'),
      import('./snowflake-session.js'),
      import('./rows.js'),
    ]);
    const environment = await openEnvironment(options);
    const result = await withSnowflake(environment.name, (warehouse) =>
      warehouse.queryExact(statement).catch((error: unknown) => {
        throw new AdvisedError(error, {
          WarehouseStatementFailed: 'Correct the statement.',
          WarehouseUnreachable: 'Check the Snowflake account and its network policy; for the sandbox: `firn sandbox status`.',
          WarehousePermissionDenied: "Check the names in the statement, and whether Firn's Snowflake role may use what they name.",
        });
      }),
    );
    print(options.json ? rowsJson(result) : rowsTable(result));
  });
