import { describe, expect, it } from 'vitest';
import { migrate } from '../../../core/bootstrap/migrations.js';
import { ScriptedSnowflake } from './scripted-snowflake.js';

const one = { version: 1, name: 'tables', statements: ['CREATE A', 'CREATE B'], checksum: 'c1' };
const two = { version: 2, name: 'views', statements: ['CREATE C'], checksum: 'c2' };

/** A Snowflake that remembers which migrations were written down. */
function history(...applied: { version: number; checksum: string }[]) {
  const rows = [...applied];
  return new ScriptedSnowflake()
    .when(/FROM FIRN.SCHEMA_MIGRATIONS/, () => [...rows])
    .when(/^INSERT INTO FIRN.SCHEMA_MIGRATIONS/, (_, [version, , checksum]) => {
      rows.push({ version: version as number, checksum: checksum as string });
      return [];
    });
}
const work = ({ statements }: ScriptedSnowflake) => statements.filter((sql) => sql.startsWith('CREATE'));

describe('migrations (scripted Snowflake)', () => {
  it('are applied in order, once', async () => {
    const warehouse = history();
    expect(await migrate(warehouse, [two, one])).toEqual(['V001__tables', 'V002__views']);
    expect(await migrate(warehouse, [two, one])).toEqual([]);
    expect(work(warehouse)).toEqual(['CREATE A', 'CREATE B', 'CREATE C']);
  });

  it('go on after the last one written down', async () => {
    const warehouse = history(one);
    expect(await migrate(warehouse, [one, two])).toEqual(['V002__views']);
    expect(work(warehouse)).toEqual(['CREATE C']);
  });

  it('that stopped half way run again from the start', async () => {
    let broken = true;
    const warehouse = history().when(/CREATE B/, () => (broken ? new Error('no warehouse') : []));
    await expect(migrate(warehouse, [one, two])).rejects.toThrow('no warehouse');
    broken = false;
    expect(await migrate(warehouse, [one, two])).toEqual(['V001__tables', 'V002__views']);
    expect(work(warehouse)).toEqual(['CREATE A', 'CREATE B', 'CREATE A', 'CREATE B', 'CREATE C']);
  });

  it('that were changed after they were applied stop the deployment before anything runs', async () => {
    const warehouse = history({ version: 1, checksum: 'before' });
    await expect(migrate(warehouse, [two, one])).rejects.toMatchObject({
      code: 'ConfigInvalid',
      message: expect.stringContaining('V001__tables'),
    });
    expect(work(warehouse)).toEqual([]);
  });

  it('of a newer version stay when an older one is deployed again', async () => {
    const warehouse = history(one, two);
    expect(await migrate(warehouse, [one])).toEqual([]);
  });
});
