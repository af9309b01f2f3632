import { describe, expect, it } from 'vitest';
import type { Snowflake } from '../../../sql/procedures/session.js';
import { withKeyTable, withWorkTable } from '../../../sql/procedures/work-table.js';

/** Tables of schema FIRN that are older than two days, and those that may not be dropped. The local Snowflake knows no ages. */
function scripted(stale: string[], held: string[] = []): { snowflake: Snowflake; dropped: string[] } {
  const dropped: string[] = [];
  const snowflake: Snowflake = {
    createStatement: ({ sqlText }) => ({
      execute: () => {
        const [, table] = /^DROP TABLE IF EXISTS "FIRN"."(.*)"$/.exec(sqlText) ?? [];
        if (table && held.includes(table)) throw new Error('Insufficient privileges');
        if (table) dropped.push(table);
        const rows = /INFORMATION_SCHEMA.TABLES/.test(sqlText) ? stale.values() : [].values();
        let row: string | undefined;
        return {
          next: () => {
            row = rows.next().value;
            return row !== undefined;
          },
          getColumnValue: () => row,
        };
      },
      getColumnCount: () => 1,
      getColumnName: () => 'NAME',
    }),
  };
  return { snowflake, dropped };
}

describe('a work table (scripted Snowflake)', () => {
  it('is dropped at the end, and so are those that dead calls have left', () => {
    const { snowflake, dropped } = scripted(['W_DEAD_1', 'W_DEAD_1_KEYS']);
    const name = withWorkTable(snowflake, 'RUN', (_, name) => withKeyTable(snowflake, name, () => name));
    expect(name).toMatch(/^W_RUN_[0-9A-F]{8}$/);
    expect(dropped).toEqual(['W_DEAD_1', 'W_DEAD_1_KEYS', `${name}_KEYS`, name]);
  });

  it('is dropped when the call fails, whose error is the one to be told', () => {
    const { snowflake, dropped } = scripted(['W_HELD', 'W_DEAD'], ['W_HELD']);
    const fail = () => {
      throw new Error('what went wrong');
    };
    expect(() => withWorkTable(snowflake, 'RUN', fail)).toThrow('what went wrong');
    expect(dropped).toEqual(['W_DEAD', expect.stringMatching(/^W_RUN_/)]);
  });
});
