import { Command } from 'commander';
import { type ErrorRecord, FirnError } from '../core/errors.js';
import type { Explanation } from '../core/plan/explain.js';
import type { GlobalOptions } from './global-options.js';
import { print, printable, printJson, table as tableText } from './output.js';

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
    const [plan] = (await callStart<Explanation & { error?: ErrorRecord }>(environment, 'plan', [[source, database, table]]))!;
    if (plan!.error) throw new FirnError(plan!.error.code, plan!.error.message);
    if (options.json) printJson(plan);
    else print(planText(plan!, stringify));
  });

function planText({ columns, ...facts }: Explanation, stringify: (value: unknown) => string): string {
  const head = ['column', 'type at the source', 'in Snowflake', 'type', 'null'];
  const rows = columns.map(({ name, target, source_type, staging, nullable }) => [
    name,
    source_type,
    target,
    staging,
    nullable ? 'yes' : 'no',
  ]);
  return `${printable(stringify(facts))}\n${tableText(
    head,
    rows.map((row) => row.map(printable)),
  )}`;
}
