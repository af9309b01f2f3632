import { PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { configKey } from '../config/schema.js';
import type { RunRef } from '../plan/plan.js';
import { applied, type Key, type RuntimeState } from './runtime-state.js';

/** How many tables of a source are read at once: `permit#<n>` holds the ARN of the execution that has the permit. */

/** Holders asked after per attempt: a run that waits asks again later, about others. */
const holdersAsked = 8;

interface Permit extends Key {
  arn?: string;
}

/** True when the run has one of the `permits` of its source; it keeps the one that it had. Permits of ended executions are free. */
export async function acquirePermit(state: RuntimeState, run: RunRef, permits: number): Promise<boolean> {
  const mine = state.executions.arn(run.runId);
  const slots = await readPermits(state, run);
  if (slots.some(({ arn }) => arn === mine)) return true;

  const numbered = Array.from({ length: permits }, (_, n) => permitKey(run, n)).map(
    (key) => slots.find(({ sk }) => sk === key.sk) ?? (key as Permit),
  );
  for (const slot of shuffled(numbered.filter(({ arn }) => !arn))) {
    const Item = { pk: slot.pk, sk: slot.sk, arn: mine };
    if (
      await applied(
        state.documents.send(new PutCommand({ TableName: state.table, Item, ConditionExpression: 'attribute_not_exists(arn)' })),
      )
    )
      return true;
  }
  for (const slot of shuffled(numbered.filter(({ arn }) => arn)).slice(0, holdersAsked)) {
    if ((await state.executions.describe(slot.arn!)).liveness === 'alive') continue;
    if (await replaceHolder(state, slot, mine)) return true;
  }
  return false;
}

/** Gives back what the run holds; nothing when it holds nothing. */
export async function releasePermit(state: RuntimeState, run: RunRef): Promise<void> {
  const mine = state.executions.arn(run.runId);
  for (const slot of await readPermits(state, run)) {
    if (slot.arn === mine) await replaceHolder(state, slot, null);
  }
}

const permitKey = ({ source, database }: RunRef, n: number): Key => ({ pk: configKey(source, database), sk: `permit#${n}` });

async function readPermits(state: RuntimeState, { source, database }: RunRef): Promise<Permit[]> {
  const { Items } = await state.documents.send(
    new QueryCommand({
      TableName: state.table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :permit)',
      ExpressionAttributeValues: { ':pk': configKey(source, database), ':permit': 'permit#' },
      ConsistentRead: true,
    }),
  );
  return (Items ?? []) as Permit[];
}

function replaceHolder(state: RuntimeState, slot: Permit, arn: string | null): Promise<boolean> {
  return applied(
    state.documents.send(
      new UpdateCommand({
        TableName: state.table,
        Key: { pk: slot.pk, sk: slot.sk },
        UpdateExpression: arn ? 'SET arn = :arn' : 'REMOVE arn',
        ConditionExpression: 'arn = :holder',
        ExpressionAttributeValues: { ':holder': slot.arn, ...(arn && { ':arn': arn }) },
      }),
    ),
  );
}

/** So that contenders do not all try the same slot. */
function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
