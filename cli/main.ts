import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { CliError, explainError, type ShownError } from './cli-error.js';
import { commands } from './commands.js';
import { type ExitCode, exitCodeHelp, exitCodes } from './exit-codes.js';
import { errorColors, printAside, printJson } from './output.js';

const examples = `
Examples:
  $ firn config validate
  $ firn config push --env dev --dry-run
  $ firn ingest PostgreSQL clr orders customers
  $ firn status
  $ firn sql "SELECT * FROM firn.runs ORDER BY started_at DESC LIMIT 5"

Without --env, commands talk to the sandbox of this checkout when it is up.`;

/** Runs `firn` with the arguments of `argv` (as in process.argv). @returns what to end with */
export async function main(argv: string[]): Promise<ExitCode> {
  // `firn logs … | head`: who reads has read enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    throw error;
  });
  try {
    const program = await build(argv.slice(2));
    await program.parseAsync(argv);
    return (process.exitCode as ExitCode | undefined) ?? exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    const { shown, exit } = explainError(error instanceof CommanderError ? usage(error, argv.slice(2)) : error);
    if (argv.includes('--json')) printJson({ error: shown });
    else printError(shown);
    if (process.env.FIRN_DEBUG === '1') console.error(error);
    return exit;
  }
}

async function build(args: string[]): Promise<Command> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  const program = new Command('firn')
    .description('PostgreSQL and MySQL into Snowflake, one SQL call per table, nothing running between calls.')
    .version(version, '-V, --version', 'print the version')
    .option('--env <name>', 'environment: the AWS stack firn-<name> and its Snowflake database')
    .option('--json', 'answer as JSON on stdout')
    .helpOption('-h, --help', 'explain a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', `${examples}\n${exitCodeHelp}`)
    .exitOverride();
  const called = commands.find(({ name }) => name === nameOf(args));
  for (const entry of commands) {
    const command = entry === called ? (await entry.load()).name(entry.name) : new Command(entry.name);
    command.summary(entry.summary);
    adopt(program, command);
    program.addCommand(command);
  }
  return program;
}

/** The command among the arguments. */
const nameOf = (args: string[]) => args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '--env');

function adopt(parent: Command, child: Command): void {
  child.copyInheritedSettings(parent);
  for (const grandchild of child.commands) adopt(child, grandchild);
}

function usage({ code, message }: CommanderError, args: string[]): CliError {
  const text = code === 'commander.help' ? 'a command is missing' : message.replace(/^error: /, '').replace(/\n\(/, ' (');
  const called = nameOf(args);
  const hint = commands.some(({ name }) => name === called)
    ? `\`firn ${called} --help\` explains it.`
    : '`firn --help` lists the commands, `firn <command> --help` explains one.';
  return new CliError('Usage', text, hint);
}

function printError({ code, message, action }: ShownError): void {
  const [first, ...rest] = message.split('\n');
  const lines =
    rest.length > 0
      ? ['', first!, ...rest]
          .map((line) => (line === '' ? line : `  ${line}`))
          .join('\n')
          .slice(1)
      : first;
  printAside(`${errorColors.red(errorColors.bold(code))}${rest.length > 0 ? '\n' : '  '}${lines}\n${errorColors.dim('→')} ${action}`);
}
