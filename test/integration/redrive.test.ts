import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../core/receipt/receipt.js';
import { useSandbox } from './fixture.js';

const firn = useSandbox();

/** Ways in which a run can fail, the state in which it does, and what mends it. */
interface Breakage {
  state: string;
  code: string;
  break: () => Promise<unknown>;
  mend: () => Promise<unknown>;
}

const sql = (statement: string) => () => firn.source.query(statement);
const snow = (statement: string) => () => firn.warehouse.query(statement);

const breakages: Breakage[] = [
  {
    state: 'Plan',
    code: 'SourcePermissionDenied',
    break: sql('REVOKE SELECT ON ledger FROM firn'),
    mend: sql('GRANT SELECT ON ledger TO firn'),
  },
  {
    state: 'Extract',
    code: 'ValueOutOfRange',
    break: sql("UPDATE ledger SET price = 'NaN', updated_at = clock_timestamp() WHERE id = 42"),
    mend: sql('UPDATE ledger SET price = 42, updated_at = clock_timestamp() WHERE id = 42'),
  },
  {
    state: 'AwaitLoad',
    code: 'PipePaused',
    break: snow('ALTER PIPE RAW_CLR.LEDGER_PIPE SET PIPE_EXECUTION_PAUSED = TRUE'),
    mend: snow('ALTER PIPE RAW_CLR.LEDGER_PIPE SET PIPE_EXECUTION_PAUSED = FALSE'),
  },
];

const pipe = breakages.find(({ state }) => state === 'AwaitLoad')!;

let next = 100_000;
async function addRows(count: number): Promise<void> {
  const from = next;
  next += count;
  await firn.source.query(`INSERT INTO ledger (id, label, price) SELECT n, 'added', 1 FROM generate_series(${from}, ${next - 1}) n`);
}

describe('a failed run is redriven from the state in which it failed', () => {
  beforeAll(async () => {
    await firn.ingest('ledger');
  });

  const ways = {
    'by the AWS API': (receipt: Receipt) => firn.redrive(receipt),
    'by ingest_retry': async (receipt: Receipt) => {
      const [row] = await firn.warehouse.query('SELECT ingest_retry(?) AS receipt', [receipt.run_id]);
      return row!.RECEIPT as Receipt;
    },
  };

  it.each(breakages)('$state ($code)', async (breakage) => {
    for (const redrive of Object.values(ways)) {
      await addRows(11);
      await breakage.break();
      const failed = await firn.ingest('ledger').finally(() => breakage.mend());
      expect(failed).toMatchObject({ status: 'FAILED', error: { code: breakage.code } });
      const done = await redrive(failed);
      expect(done).toMatchObject({ run_id: failed.run_id, status: 'SUCCEEDED', error: null });
      expect(done.rows_loaded).toBe(done.rows_read);
      await firn.expectEqual('ledger');
    }
  });

  it('and from the next state in which it fails: first the load, then the merge', async () => {
    await addRows(7);
    await pipe.break();
    const failed = await firn.ingest('ledger').finally(() => pipe.mend());
    expect(failed.error?.code).toBe('PipePaused');
    await firn.warehouse.query('ALTER TABLE STAGING_CLR.LEDGER RENAME TO STAGING_CLR.LEDGER_AWAY');
    const again = await firn
      .redrive(failed)
      .finally(() => firn.warehouse.query('ALTER TABLE STAGING_CLR.LEDGER_AWAY RENAME TO STAGING_CLR.LEDGER'));
    expect(again).toMatchObject({
      status: 'FAILED',
      error: { code: 'WarehousePermissionDenied', message: expect.stringContaining('LEDGER') },
    });
    expect(await firn.redrive(failed)).toMatchObject({ run_id: failed.run_id, status: 'SUCCEEDED', rows_inserted: 7, error: null });
    await firn.expectEqual('ledger');
  });

  it('a stopped execution too', async () => {
    await addRows(3);
    const running = await firn.ingest('ledger', { wait: false });
    await new SFNClient({}).send(new StopExecutionCommand({ executionArn: running.execution_arn! }));
    await expect.poll(async () => (await firn.status(running.run_id)).error?.code, { timeout: 30_000 }).toBe('Aborted');
    expect(await firn.redrive(running)).toMatchObject({ status: 'SUCCEEDED' });
    await firn.expectEqual('ledger');
  });

  it('a run that has succeeded cannot be retried', async () => {
    const receipt = await firn.ingest('ledger');
    const [row] = await firn.warehouse.query('SELECT ingest_retry(?) AS receipt', [receipt.run_id]);
    expect(row!.RECEIPT).toMatchObject({ error: { code: 'RunNotRetryable' } });
  });
});

describe('a redrive after a newer run has committed', () => {
  it('ends as SUPERSEDED and changes nothing', async () => {
    await firn.ingest('ledger');
    await addRows(5);
    await pipe.break();
    const old = await firn.ingest('ledger').finally(() => pipe.mend());
    expect(old.status).toBe('FAILED');

    await firn.source.query("UPDATE ledger SET label = 'newer', updated_at = clock_timestamp() WHERE id <= 100");
    const newer = await firn.ingest('ledger');
    expect(newer.status).toBe('SUCCEEDED');
    const before = await firn.warehouse.query('SELECT * FROM STAGING_CLR.LEDGER ORDER BY ID');

    expect(await firn.redrive(old)).toMatchObject({ status: 'SUPERSEDED', run_id: old.run_id });
    expect(await firn.warehouse.query('SELECT * FROM STAGING_CLR.LEDGER ORDER BY ID')).toEqual(before);
    await firn.expectEqual('ledger');
    expect((await firn.ingest('ledger')).watermark_before).toBe(newer.watermark_after);
  });
});
