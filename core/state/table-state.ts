import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { configKey } from '../config/schema.js';
import { FirnError } from '../errors.js';
import type { Mode, RunRef, Watermark } from '../plan/plan.js';
import { applied, getItem, type Key, type RuntimeState } from './runtime-state.js';

export type TableRef = Pick<RunRef, 'source' | 'database' | 'table'>;

/** A run that waits for the table. */
export interface Waiting {
  runId: string;
  arn: string;
  mode: Mode;
}

/** The run that owns the table. */
export interface Claim extends Waiting {
  /** The table's run number. Rises with each owner. */
  fence: number;
  /** Set before anything is read: who calls later may have written what the run does not see. */
  snapshotTaken: boolean;
}

/** The state of one table: one item, changed by compare-and-set only. */
export interface TableState {
  /** Rises with each write of the item. */
  revision: number;
  /** Rises with each commit. */
  version: number;
  /** The greatest fence given out. */
  fence: number;
  current?: Claim;
  next?: Waiting;
  watermark?: Watermark;
  /** The last watermarks, oldest first; the last one is `watermark`. */
  checkpoints: Watermark[];
  /** How fast a Lambda read the table in the last run that took long enough to tell. */
  rowsPerSecond?: number;
  lastRun?: { runId: string; order: string; at: string };
  /** The last runs that committed, oldest first: so that each recognises its own commit. */
  recentRuns: string[];
}

const untouched: TableState = { revision: 0, version: 0, fence: 0, checkpoints: [], recentRuns: [] };

export const tableSortKey = 'table#';

const keyOf = ({ source, database, table }: TableRef): Key => ({ pk: configKey(source, database), sk: `${tableSortKey}${table}` });

export async function readTableState(state: RuntimeState, ref: TableRef): Promise<TableState> {
  return { ...untouched, ...(await getItem<TableState>(state, keyOf(ref))) };
}

/** What to write, if anything, and what to answer once it is written. */
export interface Change<T> {
  write?: TableState;
  answer: T;
}

/** More attempts than contenders: each lost attempt means that another one has changed the table. */
const attempts = 50;

/**
 * Reads the table's state, lets `decide` say what becomes of it, and writes that if nobody has written in between; else again.
 * @throws FirnError ServiceUnavailable when that many others were faster
 */
export async function changeTable<T>(state: RuntimeState, ref: TableRef, decide: (table: TableState) => Promise<Change<T>>): Promise<T> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const seen = await readTableState(state, ref);
    const { write, answer } = await decide(seen);
    if (!write || (await replace(state, ref, seen.revision, write))) return answer;
  }
  throw new FirnError('ServiceUnavailable', `The state of ${ref.source}.${ref.database}.${ref.table} changed ${attempts} times meanwhile.`);
}

function replace(state: RuntimeState, ref: TableRef, seenRevision: number, table: TableState): Promise<boolean> {
  return applied(
    state.documents.send(
      new PutCommand({
        TableName: state.table,
        Item: { ...table, ...keyOf(ref), revision: seenRevision + 1 },
        ConditionExpression: seenRevision === 0 ? 'attribute_not_exists(pk)' : 'revision = :seen',
        ExpressionAttributeValues: seenRevision === 0 ? undefined : { ':seen': seenRevision },
      }),
    ),
  );
}
