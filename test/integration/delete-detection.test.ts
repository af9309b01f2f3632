import { beforeAll, describe, expect, it } from 'vitest';
import { pushConfig, useSandbox } from './fixture.js';

const firn = useSandbox();

const tables = [
  { table: 'guests', mode: 'incremental', cursor_column: 'updated_at', delete_detection: 'keys' },
  { table: 'rooms', mode: 'incremental', cursor_column: 'updated_at', delete_detection: 'keys', deletes: 'soft', loader: 'copy' },
];

beforeAll(async () => {
  for (const { table } of tables) {
    await firn.source.query(`CREATE TABLE ${table} (hotel text, no int, name text, updated_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (hotel, no));
      INSERT INTO ${table} SELECT 'h' || n % 3, n, 'name ' || n, now() - interval '1 hour' FROM generate_series(1, 60) n`);
  }
  await pushConfig(firn.sandbox, [{ source: 'PostgreSQL', database: 'clr', type: 'postgres', permits: 4, tables }]);
});

describe('an incremental table whose keys are read', () => {
  it.each(tables)('$table: what is deleted at the source goes, and nothing else', async ({ table, deletes }) => {
    expect(await firn.ingest(table)).toMatchObject({ status: 'SUCCEEDED', rows_read: 60, rows_inserted: 60, rows_deleted: 0, error: null });
    await firn.source.query(`DELETE FROM ${table} WHERE no % 10 = 0;
      UPDATE ${table} SET no = no + 1000 WHERE no = 7;
      UPDATE ${table} SET name = 'changed', updated_at = clock_timestamp() WHERE no IN (1, 1007);
      INSERT INTO ${table} VALUES ('h0', 61, 'new')`);
    expect(await firn.ingest(table)).toMatchObject({
      status: 'SUCCEEDED',
      rows_inserted: 2,
      rows_updated: 1,
      rows_deleted: 7,
      error: null,
    });
    if (deletes === 'soft') await firn.warehouse.query(`DELETE FROM STAGING_CLR.${table.toUpperCase()} WHERE "_FIRN_DELETED"`);
    await firn.expectEqual(table);
  });

  it('loses no row that is committed late, nor the rows of a table that was emptied', async () => {
    const writer = firn.source;
    await writer.query('BEGIN');
    await writer.query("INSERT INTO guests VALUES ('late', 1, 'late', now())");
    const other = await firn.ingest('guests');
    expect(other).toMatchObject({ status: 'SUCCEEDED', rows_deleted: 0 });
    await writer.query('COMMIT');
    expect(await firn.ingest('guests')).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 1, rows_deleted: 0 });
    await firn.expectEqual('guests');
    await writer.query('DELETE FROM guests');
    expect(await firn.ingest('guests')).toMatchObject({ status: 'FAILED', error: { code: 'DeleteFractionExceeded' } });
  });
});
