import { Command } from 'commander';
import type { Receipt } from '../core/receipt/receipt.js';
import type { GlobalOptions } from './global-options.js';
import { print, printJson } from './output.js';

export const retryCommand = new Command('retry')
  .description('Redrive a failed run from the step that failed, as the console and SELECT ingest_retry(…) do, and wait for it.')
  .argument('<run>', 'run id')
  .addHelpText('after', '\nExamples:\n  $ firn retry 01JBX7Q3M9C5V2KD8R4T6W0YZA')
  .action(async (run: string, _options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const [{ openEnvironment }, { callStart, receiptsOf }, { followRuns }, { acceptedReceipt, failureExit, receiptsTable }] =
      await Promise.all([import('./environment.js'), import('./start-function.js'), import('./follow.js'), import('./receipts.js')]);
    const environment = await openEnvironment(options);
    // No answer yet means that the run runs again.
    const [begun] = (await callStart<Receipt>(environment, 'retry', [[run]])) ?? (await receiptsOf(environment, [run]));
    const receipts = await followRuns(environment, [acceptedReceipt(begun!)]);
    if (options.json) printJson(receipts[0]);
    else print(receiptsTable(receipts));
    process.exitCode = failureExit(receipts);
  });
