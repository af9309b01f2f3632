import { RedriveExecutionCommand } from '@aws-sdk/client-sfn';
import type { Receipt } from '../../../core/receipt/receipt.js';
import { leftovers, miscounts } from '../leftovers.js';
import type { World } from '../world.js';
import { database, type TortureTable, tables } from './tables.js';
import type { Tally } from './tally.js';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A busy machine takes its time; what hangs for ever must not pass. */
const patience = 600_000;

/** Waits until nothing runs. @throws Error when something runs for more than ten minutes */
export async function settle(world: World): Promise<void> {
  for (const until = Date.now() + patience; Date.now() < until; ) {
    if ((await world.executions('RUNNING')).length === 0) return;
    await pause(1000);
  }
  throw new Error(`still running after ten minutes: ${(await world.executions('RUNNING')).join(', ')}`);
}

/** More would take longer than the torture. Who waits for longer is told by the claims and permits that are left. */
const redrivenAtMost = 150;

/** Redrives what has failed until it ends: these are zombies now, and may change nothing. @returns what does not end */
export async function raiseTheDead(world: World, tally: Tally): Promise<string[]> {
  for (let round = 0; round < 4; round++) {
    const dead = [...(await world.executions('FAILED')), ...(await world.executions('ABORTED')), ...(await world.executions('TIMED_OUT'))];
    const chosen = dead.slice(0, redrivenAtMost);
    for (let from = 0; from < chosen.length; from += 10) {
      for (const executionArn of chosen.slice(from, from + 10)) {
        tally.add('redrives at the end');
        await world.sfn.send(new RedriveExecutionCommand({ executionArn })).catch(() => {});
      }
      await settle(world);
    }
    if (chosen.length === 0) return [];
  }
  const dead = [...(await world.executions('FAILED')), ...(await world.executions('ABORTED'))].slice(0, 20);
  return dead.map((arn) => `${arn} fails again and again`);
}

/** All that is wrong after the source has come to rest, one line each. */
export async function verdict(world: World, tally: Tally): Promise<string[]> {
  const wrong = (await Promise.all(tables.map((table) => contractHolds(world, table)))).flat();
  for (const { table } of tables) wrong.push(...(await walksAreAllowed(world, table)));
  wrong.push(...(await receiptsAddUp(world, tally)));
  await settle(world);
  wrong.push(...(await leftovers(world, database)));
  // Those of the tests that kill a function between two parts are theirs.
  const uploads = (await world.uploads()).filter((key) => key.startsWith(`PostgreSQL/${database}/`));
  wrong.push(...uploads.map((key) => `unfinished upload of ${key}`));
  return wrong;
}

/** One more run, then staging equals the source; incremental runs see no deletes, so a full one follows. */
async function contractHolds(world: World, { table, key, seesDeletes }: TortureTable): Promise<string[]> {
  const { rows } = await world.source.query<{ id: string }>(`SELECT id::text AS id FROM ${table}`);
  const live = new Set(rows.map(({ id }) => id));
  const wrong = await run(world, table, {});
  // The rows that are deleted may be many, and are not meant.
  const found = await world.differences(database, table, key, 10_000);
  wrong.push(...found.filter((line) => seesDeletes || !isDeleted(line, live)));
  if (seesDeletes) return wrong;
  wrong.push(...(await run(world, table, { mode: 'full' })));
  return [...wrong, ...(await world.differences(database, table, key))];
}

function isDeleted(difference: string, live: Set<string>): boolean {
  const [, id] = /^\w+ \["(\d+)"[^\]]*\]: only in staging/.exec(difference) ?? [];
  return id !== undefined && !live.has(id);
}

async function run(world: World, table: string, options: Record<string, unknown>): Promise<string[]> {
  const receipt = await world.ended(await world.ingest(database, table, options));
  return receipt.status === 'SUCCEEDED'
    ? []
    : [`the last run of ${table} is ${receipt.status}: ${receipt.error?.code} ${receipt.error?.message}`];
}

/** Each version that a merged run brought was committed at the source, and no run brought an older one than the run before. */
async function walksAreAllowed(world: World, table: string): Promise<string[]> {
  const { rows } = await world.source.query<{ version: string }>(
    `SELECT concat_ws('/', id, step, payload) AS version FROM history WHERE tab = $1`,
    [table],
  );
  const committed = new Set(rows.map(({ version }) => version));
  const brought = await world.query(
    `SELECT TO_VARCHAR(raw.ID) AS ID, raw.STEP AS STEP, raw.PAYLOAD AS PAYLOAD, raw."_FIRN_ORDER" AS RUN_ORDER, raw."_FIRN_RUN" AS RUN
FROM RAW_${database.toUpperCase()}.${table.toUpperCase()}_COMMITTED AS raw WHERE raw."_FIRN_RUN" IN (SELECT run_id FROM FIRN.RUN_RESULTS)
ORDER BY raw.ID, raw."_FIRN_ORDER", raw.STEP`,
  );
  const wrong: string[] = [];
  let last: Record<string, unknown> | undefined;
  for (const row of brought) {
    const { ID, STEP, PAYLOAD, RUN } = row;
    if (!committed.has([ID, STEP, PAYLOAD].join('/')))
      wrong.push(`${table} ${ID}: run ${RUN} brought step ${STEP} (${PAYLOAD}), which was never committed`);
    if (last?.ID === ID && Number(last?.STEP) > Number(STEP))
      wrong.push(`${table} ${ID}: run ${RUN} brought step ${STEP} after step ${last?.STEP} of run ${last?.RUN}`);
    last = row;
  }
  return wrong.slice(0, 20);
}

/** The receipt of each run that has succeeded, and that Snowflake knows of each run how it ended. */
async function receiptsAddUp(world: World, tally: Tally): Promise<string[]> {
  const known = new Map((await world.query('SELECT run_id AS ID, status AS STATUS FROM FIRN.RUNS')).map(({ ID, STATUS }) => [ID, STATUS]));
  const wrong: string[] = [];
  for (const item of await world.runtimeItems()) {
    if (!String(item.pk).startsWith('run#')) continue;
    const runId = String(item.pk).slice(4);
    const { status, receipt } = item as unknown as { status: Receipt['status']; receipt: Partial<Receipt> };
    tally.add(`runs ${status}`);
    if (status === 'SUCCEEDED') {
      tally.add('rows read', Number(receipt.rows_read));
      tally.add('rows changed', Number(receipt.rows_inserted) + Number(receipt.rows_updated) + Number(receipt.rows_deleted));
      wrong.push(...miscounts({ run_id: runId, ...receipt }));
    }
    if (status !== 'FAILED' && known.get(runId) !== status) wrong.push(`run ${runId} is ${status}, and ${known.get(runId)} in FIRN.RUNS`);
  }
  return wrong;
}
