import { QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { configKey } from '../config/schema.js';
import type { Executions } from './executions.js';
import { applied, getItem, type Key, type RuntimeState } from './runtime-state.js';
import { type TableRef, type TableState, tableSortKey } from './table-state.js';

/**
 * What gold has to catch up with, in one item. A commit counts up first and then sees to it that an execution drains;
 * the execution gives its claim up only if the count is the one it began with. So no change is ever left behind.
 */
export interface DirtyGold {
  counter: number;
  tables: TableRef[];
  /** Those of them whose change dbt waits for. */
  forDbt: TableRef[];
}

interface GoldItem {
  counter?: number;
  /** JSON of [source, database, table] or [source, database, table, 'dbt']. */
  tables?: Set<string>;
  /** Execution that drains. */
  arn?: string;
}

const key: Key = { pk: 'gold', sk: 'gold' };

/** Notes that rows of the table changed, and whether dbt is to be told. */
export async function markDirty(state: RuntimeState, { source, database, table }: TableRef, forDbt = false): Promise<void> {
  await state.documents.send(
    new UpdateCommand({
      TableName: state.table,
      Key: { ...key },
      UpdateExpression: 'ADD #counter :one, #tables :changed',
      ExpressionAttributeNames: { '#counter': 'counter', '#tables': 'tables' },
      ExpressionAttributeValues: {
        ':one': 1,
        ':changed': new Set([JSON.stringify([source, database, table, ...(forDbt ? ['dbt'] : [])])]),
      },
    }),
  );
}

/** Starts the state machine `gold` unless one of its executions drains already. One that died is replaced. */
export async function ensureGoldRuns(state: RuntimeState, gold: Executions): Promise<void> {
  const { arn } = (await getItem<GoldItem>(state, key)) ?? {};
  const { liveness } = arn ? await gold.describe(arn) : { liveness: 'failed' };
  if (liveness === 'alive') return;
  if (liveness === 'missing') return gold.start(arn!.slice(arn!.lastIndexOf(':') + 1), {});
  const name = ulid();
  const claimed = await applied(
    state.documents.send(
      new UpdateCommand({
        TableName: state.table,
        Key: { ...key },
        UpdateExpression: 'SET arn = :arn',
        ConditionExpression: arn ? 'arn = :ended' : 'attribute_not_exists(arn)',
        ExpressionAttributeValues: { ':arn': gold.arn(name), ...(arn && { ':ended': arn }) },
      }),
    ),
    // Two that drain do no harm.
    true,
  );
  // Who was faster has started one; should he have died before that, the next commit does.
  if (claimed) await gold.start(name, {});
}

export async function readDirty(state: RuntimeState): Promise<DirtyGold> {
  const { counter = 0, tables = new Set<string>() } = (await getItem<GoldItem>(state, key)) ?? {};
  const noted = [...tables].map((text) => {
    const [source, database, table, then] = JSON.parse(text) as [string, string, string, 'dbt'?];
    return { ref: { source, database, table }, then };
  });
  const forDbt = noted.filter(({ then }) => then === 'dbt').map(({ ref }) => ref);
  return { counter, tables: noted.map(({ ref }) => ref), forDbt };
}

/** Whether other runs of these sources are under way: then it pays to wait, so that many tables make one build. */
export async function otherRunsActive(state: RuntimeState, sources: Pick<TableRef, 'source' | 'database'>[]): Promise<boolean> {
  for (const pk of new Set(sources.map(({ source, database }) => configKey(source, database)))) {
    const { Items } = await state.documents.send(
      new QueryCommand({
        TableName: state.table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :table)',
        FilterExpression: 'attribute_exists(#current)',
        ExpressionAttributeNames: { '#current': 'current' },
        ExpressionAttributeValues: { ':pk': pk, ':table': tableSortKey },
      }),
    );
    for (const { current } of (Items ?? []) as TableState[]) {
      if ((await state.executions.describe(current!.arn)).liveness === 'alive') return true;
    }
  }
  return false;
}

/** The draining execution has built what was dirty at `counter`. False when more has changed since: then it goes on. */
export async function releaseGold(state: RuntimeState, counter: number): Promise<boolean> {
  return applied(
    state.documents.send(
      new UpdateCommand({
        TableName: state.table,
        Key: { ...key },
        UpdateExpression: 'REMOVE arn, #tables',
        // Without a counter nothing was ever dirty: somebody started the execution by hand.
        ConditionExpression: '#counter = :counter OR attribute_not_exists(#counter)',
        ExpressionAttributeNames: { '#counter': 'counter', '#tables': 'tables' },
        ExpressionAttributeValues: { ':counter': counter },
      }),
    ),
  );
}
