import { Command, InvalidArgumentError } from 'commander';
import type { FirnEnvironment } from './environment.js';
import type { GlobalOptions } from './global-options.js';
import { colors, print, printJson } from './output.js';

export const statusCommand = new Command('status')
  .description('List the last runs, or show one run with its steps. Reads AWS only: it works when Snowflake does not.')
  .argument('[run]', 'run id')
  .option('--last <n>', 'how many runs to list', positive, 20)
  .addHelpText('after', '\nExamples:\n  $ firn status\n  $ firn status 01JBX7Q3M9C5V2KD8R4T6W0YZA --json')
  .action(async (run: string | undefined, _options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions & { last: number }>();
    const { openEnvironment } = await import('./environment.js');
    const environment = await openEnvironment(options);
    if (run) await showRun(environment, run, options);
    else await listRuns(environment, options);
  });

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1000) throw new InvalidArgumentError('expected a whole number from 1 to 1000.');
  return value;
}

async function listRuns(environment: FirnEnvironment, { json, last }: GlobalOptions & { last: number }): Promise<void> {
  const { ListExecutionsCommand, SFNClient } = await import('@aws-sdk/client-sfn');
  const { receiptsOf } = await import('./start-function.js');
  const stateMachineArn = environment.output('IngestStateMachineArn');
  const { executions } = await new SFNClient({}).send(new ListExecutionsCommand({ stateMachineArn, maxResults: last }));
  const receipts = await receiptsOf(
    environment,
    (executions ?? []).map(({ name }) => name!),
  );
  if (json) return printJson(receipts);
  const { receiptsTable } = await import('./receipts.js');
  print(
    receipts.length > 0 ? receiptsTable(receipts, { started: true }) : 'No run yet. Start one: firn ingest <source> <database> <table>',
  );
}

async function showRun(environment: FirnEnvironment, run: string, { json }: GlobalOptions): Promise<void> {
  const [{ SFNClient }, { executionSteps }, { receiptsOf }, { acceptedReceipt, failureExit, receiptsTable }] = await Promise.all([
    import('@aws-sdk/client-sfn'),
    import('./execution-steps.js'),
    import('./start-function.js'),
    import('./receipts.js'),
  ]);
  const receipt = acceptedReceipt((await receiptsOf(environment, [run]))[0]!);
  const steps = receipt.execution_arn ? await executionSteps(new SFNClient({}), receipt.execution_arn) : [];
  process.exitCode = failureExit([receipt]);
  if (json) return printJson({ ...receipt, steps });
  print(receiptsTable([receipt]));
  const facts = {
    started: receipt.started_at,
    'read as of': receipt.read_as_of,
    watermark: receipt.watermark_after && `${receipt.watermark_before ?? 'none'} → ${receipt.watermark_after}`,
    steps: steps.map(({ name, seconds, state }) => `${name} ${seconds.toFixed(1)} s${state === 'done' ? '' : ` (${state})`}`).join(', '),
    execution: receipt.execution_arn,
    log: receipt.log,
  };
  print('');
  for (const [name, value] of Object.entries(facts)) if (value) print(`${colors.dim(name.padEnd(10))}  ${value}`);
}
