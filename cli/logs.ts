import { Command } from 'commander';
import type { ErrorRecord } from '../core/errors.js';
import type { GlobalOptions } from './global-options.js';
import { colors, print, printable, printJson } from './output.js';

export const logsCommand = new Command('logs')
  .description("Print a run's log from the raw bucket: every line of every step, in the order of time.")
  .argument('<run>', 'run id')
  .addHelpText('after', '\nExamples:\n  $ firn logs 01JBX7Q3M9C5V2KD8R4T6W0YZA')
  .action(async (run: string, _options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const [{ openEnvironment }, { readRunLog }] = await Promise.all([import('./environment.js'), import('./run-log.js')]);
    const lines = await readRunLog((await openEnvironment(options)).output('RawBucket'), run);
    if (options.json) return printJson(lines);
    for (const { time, level, msg, ...fields } of lines) {
      const paint = levelColors[level] ?? String;
      print(`${time}  ${paint(level.padEnd(5))}  ${printable(msg)}${colors.dim(fieldsText(fields))}`);
    }
  });

const levelColors: Record<string, (text: string) => string> = { error: colors.red, warn: colors.yellow };

/** The same on every line of a run, or what the message says already. `--json` has them. */
const known = ['run_id', 'source', 'database', 'table', 'execution', 'request_id'];

function fieldsText({ error, stack, ...fields }: Record<string, unknown>): string {
  const code = (error as ErrorRecord | undefined)?.code;
  // Where it happened matters when Firn itself is wrong.
  const texts = Object.entries({ ...fields, error: code, stack: code === 'Internal' ? stack : undefined })
    .filter(([name, value]) => value !== undefined && !known.includes(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return texts.length > 0 ? printable(`  ${texts.join(' ')}`) : '';
}
