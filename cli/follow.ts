import { setTimeout as pause } from 'node:timers/promises';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Receipt } from '../core/receipt/receipt.js';
import type { FirnEnvironment } from './environment.js';
import { executionSteps } from './execution-steps.js';
import { printAside } from './output.js';
import { type Progress, progress } from './progress.js';
import { receiptsOf } from './start-function.js';

/**
 * Waits until the runs are over and shows their steps meanwhile. Leaving by Ctrl-C ends the waiting only: the runs go on.
 * @returns the receipts in the same order, final
 */
export async function followRuns(environment: FirnEnvironment, receipts: Receipt[]): Promise<Receipt[]> {
  const client = new SFNClient({});
  const shown = progress();
  const running = receipts.filter(({ status }) => status === 'RUNNING');
  // Step Functions admits some 20 history calls a second in all.
  const every = Math.max(1000, running.length * 100);
  const leave = () => {
    shown.end();
    printAside(`The runs go on: firn status ${running[0]?.run_id ?? ''}`);
    process.exit(130);
  };
  process.once('SIGINT', leave);
  try {
    return await Promise.all(
      receipts.map((receipt) => (receipt.status === 'RUNNING' ? followRun(environment, client, receipt, shown, every) : receipt)),
    );
  } finally {
    process.off('SIGINT', leave);
    shown.end();
  }
}

async function followRun(
  environment: FirnEnvironment,
  client: SFNClient,
  begun: Receipt,
  shown: Progress,
  every: number,
): Promise<Receipt> {
  let receipt = begun;
  for (;;) {
    const steps = receipt.execution_arn ? await executionSteps(client, receipt.execution_arn).catch(notYetThere) : [];
    shown.show(receipt.table, steps);
    if (steps.at(-1)?.state !== 'running') {
      const [now] = await receiptsOf(environment, [receipt.run_id]);
      receipt = { ...now!, joined: receipt.joined };
      if (receipt.status !== 'RUNNING') {
        shown.show(receipt.table, steps, true);
        return receipt;
      }
    }
    await pause(every);
  }
}

/** A run that waits for another's turn may not have been started. */
function notYetThere(error: unknown): [] {
  if (error instanceof Error && error.name === 'ExecutionDoesNotExist') return [];
  throw error;
}
