import { expect, it } from 'vitest';
import { useSandbox } from './fixture.js';

const firn = useSandbox();

const gauges = async (names: string): Promise<unknown[][]> =>
  (await firn.warehouse.query(`SELECT ${names} FROM STAGING_CLR.GAUGES ORDER BY ID`)).map((row) => Object.values(row));

it('a table goes on through another type, a new column with a default, a wider one and one that is dropped', async () => {
  expect(await firn.ingest('gauges')).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 3 });

  // No row's cursor rises by any of this.
  await firn.source.query(`ALTER TABLE gauges ALTER reading TYPE text USING reading || ' mm', ALTER code TYPE text, DROP note,
    ADD unit text NOT NULL DEFAULT 'mm'; INSERT INTO gauges (id, reading, code) VALUES (4, '40 mm', 'a longer code')`);
  const changed = await firn.ingest('gauges');
  expect(changed).toMatchObject({ status: 'SUCCEEDED', mode: 'incremental', rows_read: 4, rows_inserted: 1, rows_updated: 3, error: null });
  const warnings = changed.warnings.join('\n');
  expect(warnings).toContain(
    'Everything is read again, because since the last run the table has changed: reading was integer and is text; unit is new.',
  );
  expect(warnings).toContain('which READING (NUMBER(38,0)) cannot become: its values are in READING__V2 from now on');
  expect(warnings).toContain('Column UNIT is new: VARCHAR.');
  expect(warnings).toContain('Column NOTE is no longer read');
  expect(await gauges('ID, READING, READING__V2, NOTE, CODE, UNIT')).toEqual([
    [1, 10, '10 mm', 'note 1', 'c1', 'mm'],
    [2, 20, '20 mm', 'note 2', 'c2', 'mm'],
    [3, 30, '30 mm', 'note 3', 'c3', 'mm'],
    [4, null, '40 mm', null, 'a longer code', 'mm'],
  ]);

  await firn.source.query("UPDATE gauges SET reading = '11 mm', updated_at = clock_timestamp() WHERE id = 1");
  const next = await firn.ingest('gauges');
  expect(next).toMatchObject({ status: 'SUCCEEDED', rows_inserted: 0, rows_updated: 1 });
  expect(next.warnings.join('\n')).not.toMatch(/is read again|is new|no longer read|__V2/);
  expect(await gauges('ID, READING, READING__V2, NOTE')).toEqual([
    [1, null, '11 mm', null],
    [2, 20, '20 mm', 'note 2'],
    [3, 30, '30 mm', 'note 3'],
    [4, null, '40 mm', null],
  ]);
});
