import { Command, InvalidArgumentError } from 'commander';
import { type Change, type Changes, simulate } from '../sandbox/source-data/simulate.js';
import { CliError } from './cli-error.js';
import type { GlobalOptions } from './global-options.js';
import { colors, print, printJson, table } from './output.js';
import { requireSandbox } from './require-sandbox.js';

function count(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('It is a whole number up to 9999.');
  return Number(text);
}

const signs: Record<Change['kind'], string> = { insert: colors.green('+'), update: colors.yellow('~'), delete: colors.red('-') };

export const simulateCommand = new Command('simulate')
  .description("Change the shop in the sandbox's PostgreSQL (raw_customers, raw_orders, raw_payments) as a day of business does.")
  .option('--inserts <n>', 'orders placed, one in three by a new customer', count, 5)
  .option('--updates <n>', 'orders that go on, and customers who change their name', count, 2)
  .option('--deletes <n>', 'orders deleted with their payments', count, 1)
  .action(async (changes: Changes, command: Command) => {
    const { postgres } = requireSandbox();
    const done = await simulate(postgres.adminUrl, changes).catch((error: { code?: string }) => {
      if (error.code !== '42P01') throw error;
      throw new CliError('Usage', 'the source has no shop', 'Load it: `firn sample shop`.', { cause: error });
    });
    if (command.optsWithGlobals<GlobalOptions>().json) return printJson({ changes: done });
    print(
      table(
        ['', 'TABLE', 'ID', 'WHAT'],
        done.map(({ kind, table: name, id, what }) => [signs[kind], name, String(id), what]),
        ['ID'],
      ),
    );
  });
