import { decodeTime } from 'ulid';
import type { RunLog } from '../log.js';
import { type DirtyGold, otherRunsActive, readDirty, releaseGold } from '../state/gold.js';
import type { RuntimeState } from '../state/runtime-state.js';
import type { TableRef } from '../state/table-state.js';
import type { Warehouse } from '../warehouse/snowflake.js';

/** How long a build waits for the other tables of a fan-out, so that they share it. */
const patience = 10 * 60_000;

/** No count is this: Release then lets nothing go, and the workflow settles again. */
const notYet = -1;

/** What the execution does next: whether it builds, and the tables that it tells dbt of. */
export interface Drained {
  build: boolean;
  notify: boolean;
  forDbt: TableRef[];
  counter: number;
}

/**
 * Drain: whether there is something to build now. While other runs of the same sources are under way it waits for them.
 * @param execution ARN of the gold execution, named by a ULID
 */
export async function drainGold(state: RuntimeState, execution: string): Promise<Drained> {
  const dirty = await readDirty(state);
  const others = dirty.tables.length > 0 && startedWithin(execution, patience) && (await otherRunsActive(state, dirty.tables));
  return decideBuild(dirty, others);
}

export function decideBuild({ tables, forDbt, counter }: DirtyGold, othersActive: boolean): Drained {
  if (othersActive) return { build: false, notify: false, forDbt: [], counter: notYet };
  return { build: tables.length > 0, notify: forDbt.length > 0, forDbt, counter };
}

function startedWithin(execution: string, milliseconds: number): boolean {
  const name = execution.slice(execution.lastIndexOf(':') + 1);
  // An execution that somebody started by hand has another name: it does not wait.
  return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(name) && Date.now() - decodeTime(name) < milliseconds;
}

export async function buildGold(warehouse: Warehouse): Promise<{ queryId: string }> {
  return { queryId: await warehouse.submit('CALL FIRN.BUILD_GOLD()') };
}

/** A model that failed stands in FIRN.GOLD_BUILDS and in the log; it fails no other. @throws FirnError Warehouse… when the call itself failed */
export async function awaitGold(warehouse: Warehouse, queryId: string, log: RunLog): Promise<{ done: boolean }> {
  const status = await warehouse.status(queryId);
  if (status === 'RUNNING') return { done: false };
  if (status !== 'SUCCEEDED') throw status.failed;
  const [row] = await warehouse.result(queryId);
  log.info({ query_id: queryId, built: Object.values(row ?? {})[0] }, 'gold is built');
  return { done: true };
}

/** Done, unless more has changed since Drain counted. */
export async function finishGold(state: RuntimeState, counter: number): Promise<{ done: boolean }> {
  return { done: await releaseGold(state, counter) };
}
