import { createReadStream, existsSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { pipeline } from 'node:stream/promises';
import { Argument, Command, Option } from 'commander';
import { Interrupted } from '../sandbox/command.js';
import { down, reset } from '../sandbox/down.js';
import { sandboxDirectory } from '../sandbox/paths.js';
import type { SandboxState } from '../sandbox/state.js';
import { status } from '../sandbox/status.js';
import { showSteps } from '../sandbox/steps.js';
import { up } from '../sandbox/up.js';
import { CliError } from './cli-error.js';
import { colors, print, printAside, printJson, table } from './output.js';

const logNames = ['postgres', 'mysql', 'aws', 'snowflake', 'deploy'];

export const sandboxCommand = new Command('sandbox').description(
  'A whole Firn on this machine: PostgreSQL, a local AWS with the stacks deployed, a local Snowflake.',
);

sandboxCommand
  .command('up')
  .summary('start it, and deploy what has changed')
  .description('Starts the servers, deploys the stacks and pushes config/. Safe to run again; data are kept.')
  .option('--no-push', 'leave the configuration as it was pushed')
  .addOption(new Option('--with <server>', 'start this server too, now and from then on').choices(['mysql']))
  .action(async ({ push, with: server }: { push: boolean; with?: 'mysql' }, command: Command) => {
    const sandbox = await up({ push, steps: showSteps(), mysql: server === 'mysql' }).catch(failed);
    if (command.optsWithGlobals().json) printJson(sandbox);
    else print(reachable(sandbox));
  });

sandboxCommand
  .command('down')
  .summary('stop it; its data are kept')
  .action(async (_options: object, command: Command) => {
    const stopped = await down().catch(failed);
    if (command.optsWithGlobals().json) printJson({ stopped });
    else print(stopped.length > 0 ? `stopped: ${stopped.join(', ')}` : 'the sandbox was not up');
  });

sandboxCommand
  .command('status')
  .summary('show what runs and how to reach it')
  .action((_options: object, command: Command) => {
    const now = status();
    if (command.optsWithGlobals().json) printJson(now);
    else {
      const rows = now.services.map(({ name, running, pid, port, log }) => [
        name,
        running ? colors.green('running') : colors.dim('stopped'),
        String(port ?? ''),
        String(pid ?? ''),
        log ?? '',
      ]);
      print(table(['SERVICE', 'STATE', 'PORT', 'PID', 'LOG'], rows, ['PORT', 'PID']));
      if (now.sandbox) print(`\n${reachable(now.sandbox)}`);
    }
    if (now.up) return;
    printAside('\n→ `firn sandbox up` starts what is stopped.');
    process.exitCode = 3;
  });

sandboxCommand
  .command('logs')
  .summary('print the log of a server, or of all')
  .addArgument(new Argument('[service]').choices(logNames))
  .option('-f, --follow', 'go on as it grows')
  .action(async (service: string | undefined, { follow }: { follow?: boolean }) => {
    const files = (service ? [service] : logNames)
      .map((name) => join(sandboxDirectory(), 'logs', `${name}.log`))
      .filter((file) => existsSync(file));
    if (files.length === 0) throw new CliError('EnvironmentMissing', 'there is no log yet', 'Start the sandbox: `firn sandbox up`.');
    await Promise.all(files.map((file) => (follow ? followFile(file) : printFile(file, 0))));
  });

sandboxCommand
  .command('reset')
  .summary('stop it and remove all of its data')
  .option('-y, --yes', 'do not ask')
  .action(async ({ yes }: { yes?: boolean }) => {
    const directory = sandboxDirectory();
    if (!yes && !(await confirmed(`Remove ${directory} with all data of the sandbox? [y/N] `))) return print('Nothing was removed.');
    await reset(directory).catch(failed);
    print(`removed ${directory}`);
  });

function reachable(sandbox: SandboxState): string {
  const rows = [
    ['PostgreSQL', sandbox.postgres.adminUrl],
    ...(sandbox.mysql ? [['MariaDB', sandbox.mysql.adminUrl]] : []),
    ['AWS', `AWS_ENDPOINT_URL=${sandbox.aws.endpoint}`],
    ['Snowflake', sandbox.snowflake.accessUrl],
    ['API', sandbox.api],
    ['raw bucket', `s3://${sandbox.bucket}`],
  ];
  return rows.map(([name, value]) => `${colors.bold(name!.padEnd(11))} ${value}`).join('\n');
}

function failed(error: unknown): never {
  if (error instanceof Interrupted) {
    printAside(`${error.message}. Servers that it had started are stopped again; \`firn sandbox up\` goes on from there.`);
    process.exit(130);
  }
  const message = error instanceof Error ? error.message : String(error);
  throw new CliError('NotReachable', message, 'Read the log; `firn sandbox reset` starts afresh.', { cause: error });
}

async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CliError('Usage', 'nobody is there to be asked whether to remove the data', 'Say it at once: `firn sandbox reset --yes`.');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

const printFile = (file: string, start: number): Promise<void> =>
  pipeline(createReadStream(file, { start }), process.stdout, { end: false });

async function followFile(file: string): Promise<void> {
  let printed = 0;
  const printNew = async () => {
    const { size } = statSync(file);
    if (size < printed) printed = 0;
    const from = printed;
    printed = size;
    if (size > from) await pipeline(createReadStream(file, { start: from, end: size - 1 }), process.stdout, { end: false });
  };
  await printNew();
  let turn = Promise.resolve();
  watch(file, () => {
    turn = turn.then(printNew).catch((error: unknown) => printAside(String(error)));
  });
}
