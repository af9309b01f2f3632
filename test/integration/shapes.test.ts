import { describe, expect, it } from 'vitest';
import { useSandbox } from './fixture.js';
import { weirdName } from './tables.js';

const firn = useSandbox();

describe('tables of every shape arrive as they are', () => {
  const shapes = [
    { table: 'empty', rows: 0 },
    { table: 'empty_so_far', rows: 0 },
    { table: 'single', rows: 1 },
    { table: 'wide', rows: 20 },
    { table: 'copied', rows: 200 },
    { table: 'stock', rows: 90 },
    { table: weirdName, rows: 2 },
  ];
  it.each(shapes)('$table with $rows rows', async ({ table, rows }) => {
    const receipt = await firn.ingest(table);
    expect(receipt).toMatchObject({ status: 'SUCCEEDED', rows_read: rows, rows_loaded: rows, rows_merged: rows, error: null });
    await firn.expectEqual(table);
  });

  it('a table without a primary key is replaced, duplicates and all', async () => {
    for (const _ of [1, 2]) expect(await firn.ingest('keyless')).toMatchObject({ status: 'SUCCEEDED', rows_read: 3, rows_merged: 3 });
    const rows = await firn.warehouse.query('SELECT A, B, COUNT(*) AS N FROM STAGING_CLR.KEYLESS GROUP BY A, B ORDER BY A');
    expect(rows.map(({ A, B, N }) => [A, B, Number(N)])).toEqual([
      [1, 'x', 2],
      [null, null, 1],
    ]);
  });

  it('a table of another schema, renamed', async () => {
    expect(await firn.ingest('shop floor.Tills')).toMatchObject({ status: 'SUCCEEDED', rows_merged: 2 });
    const rows = await firn.warehouse.query('SELECT ID, OPEN FROM STAGING_CLR.TILLS ORDER BY ID');
    expect(rows.map(({ ID, OPEN }) => [ID, OPEN])).toEqual([
      [1, true],
      [2, null],
    ]);
  });

  it('the files stand at source/database/table/date/hour', async () => {
    const receipt = await firn.ingest('single');
    const [row] = await firn.warehouse.query('SELECT FILE FROM FIRN.RUN_FILES WHERE RUN_ID = ?', [receipt.run_id]);
    expect(row!.FILE).toMatch(/^PostgreSQL\/clr\/single\/\d{4}-\d\d-\d\d\/\d\d\/[0-9A-Z]{26}-0000-\w+\.parquet$/);
    expect(row!.FILE).toContain(`/${receipt.started_at.slice(0, 10)}/`);
  });
});

describe('a full load', () => {
  it('deletes what is gone at the source, softly where configured', async () => {
    await firn.ingest('stock');
    await firn.source.query("DELETE FROM stock WHERE sku IN ('sku1', 'sku2'); UPDATE stock SET amount = -1 WHERE sku = 'sku3'");
    const receipt = await firn.ingest('stock');
    expect(receipt).toMatchObject({ status: 'SUCCEEDED', rows_read: 88, rows_updated: 1, rows_deleted: 2, rows_unchanged: 87 });
    await firn.expectEqual('stock');
    const [row] = await firn.warehouse.query('SELECT COUNT(*) AS N FROM STAGING_CLR.STOCK WHERE "_FIRN_DELETED"');
    expect(Number(row!.N)).toBe(2);
  });

  it('that would delete most of the table changes nothing and says so', async () => {
    await firn.ingest('copied');
    await firn.source.query('CREATE TABLE copied_kept AS TABLE copied; DELETE FROM copied WHERE id > 10');
    const receipt = await firn.ingest('copied');
    expect(receipt).toMatchObject({ status: 'FAILED', error: { code: 'DeleteFractionExceeded' } });
    const [row] = await firn.warehouse.query('SELECT COUNT(*) AS N FROM STAGING_CLR.COPIED');
    expect(Number(row!.N)).toBe(200);
    await firn.source.query('INSERT INTO copied SELECT * FROM copied_kept WHERE id > 10; DROP TABLE copied_kept');
    expect(await firn.ingest('copied')).toMatchObject({ status: 'SUCCEEDED', rows_unchanged: 200 });
    await firn.expectEqual('copied');
  });
});
