import { Command } from 'commander';
import type { GlobalOptions } from './global-options.js';

export const dbtCommand = new Command('dbt')
  .description(
    `Run dbt on the project in dbt/, as Firn's Snowflake user in the environment's database. All arguments go to dbt.
The first call installs dbt into .firn/dbt.`,
  )
  .argument('<arguments...>', 'as dbt takes them')
  .allowUnknownOption()
  .addHelpText(
    'after',
    `
Examples:
  $ firn dbt build
  $ firn dbt source freshness
  $ firn dbt build --select daily_metrics+
  $ firn dbt --env prod run`,
  )
  .action(async (args: string[], _options, command: Command) => {
    const [{ openEnvironment }, { runDbt }, { snowflakeSecretOf }] = await Promise.all([
      import('./environment.js'),
      import('../sandbox/dbt.js'),
      import('./snowflake-session.js'),
    ]);
    const { name } = await openEnvironment(command.optsWithGlobals<GlobalOptions>());
    process.exitCode = await runDbt(args, name, await snowflakeSecretOf(name));
  });
