import { describe, expect, it } from 'vitest';
import type { Receipt } from '../../core/receipt/receipt.js';
import { useSandbox } from './fixture.js';

const firn = useSandbox();

describe('several calls for one table', () => {
  it('at once: one run, or one and its follow-up; each caller finds what he wrote before', async () => {
    await firn.ingest('shelf');
    const callers = await Promise.all([1, 2, 3, 4].map(() => firn.session()));
    const answers = await Promise.all(
      callers.map(async (session, index) => {
        const id = 10_000 + index;
        await firn.source.query(`INSERT INTO shelf (id, label, price) VALUES (${id}, 'caller ${index}', ${index})`);
        const receipt = await firn.ingest('shelf', undefined, session);
        const [row] = await session.query('SELECT COUNT(*) AS N FROM STAGING_CLR.SHELF WHERE ID = ?', [id]);
        return { receipt, found: Number(row!.N) };
      }),
    );
    expect(answers.map(({ receipt, found }) => [receipt.status, found])).toEqual(answers.map(() => ['SUCCEEDED', 1]));
    const runs = new Set(answers.map(({ receipt }) => receipt.run_id));
    expect(runs.size).toBeLessThanOrEqual(3);
    const joiners = answers.filter(({ receipt }) => receipt.joined).length;
    expect(joiners).toBe(answers.length - runs.size);
    await firn.expectEqual('shelf');
  });

  it('the same table twice in one SELECT is one run', async () => {
    const rows = await firn.warehouse.query(
      "SELECT ingest_table('PostgreSQL', 'clr', column1) AS receipt FROM (VALUES ('single'), ('single'))",
    );
    const runs = new Set(rows.map(({ RECEIPT }) => (RECEIPT as Receipt).run_id));
    expect(runs.size).toBe(1);
  });

  it("with {'wait': FALSE} the call answers at once, and ingest_status goes on", async () => {
    const receipt = await firn.ingest('wide', { wait: false });
    expect(receipt.status).toBe('RUNNING');
    await expect.poll(async () => (await firn.status(receipt.run_id)).status, { timeout: 60_000, interval: 250 }).toBe('SUCCEEDED');
  });

  it("with {'mode': 'full'} an incremental table is read whole, and what is gone is deleted", async () => {
    await firn.ingest('shelf');
    await firn.source.query('DELETE FROM shelf WHERE id <= 5');
    const receipt = await firn.ingest('shelf', { mode: 'full' });
    expect(receipt).toMatchObject({ status: 'SUCCEEDED', mode: 'full', rows_deleted: 5 });
    await firn.expectEqual('shelf');
    expect(await firn.ingest('shelf')).toMatchObject({ status: 'SUCCEEDED', mode: 'incremental', rows_inserted: 0, rows_updated: 0 });
  });

  it('an integer cursor moves new rows only', async () => {
    expect(await firn.ingest('log_lines')).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 300 });
    await firn.source.query("INSERT INTO log_lines (line) SELECT 'more' FROM generate_series(1, 7)");
    expect(await firn.ingest('log_lines')).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 7, rows_updated: 0 });
    await firn.expectEqual('log_lines');
  });

  it('ingest_plan says what a run would do and starts none', async () => {
    const runs = () => firn.warehouse.query("SELECT COUNT(*) AS N FROM FIRN.RUNS WHERE TABLE_NAME = 'shelf'");
    const before = await runs();
    const [row] = await firn.warehouse.query("SELECT ingest_plan('PostgreSQL', 'clr', 'shelf') AS plan");
    expect(row!.PLAN).toMatchObject({ mode: 'incremental' });
    expect(await runs()).toEqual(before);
    expect(before).not.toEqual([{ N: 0 }]);
  });
});
