import { describe, expect, it } from 'vitest';
import { keyRanges, summariseWorkTable } from '../../../core/warehouse/key-range.js';
import { compareWorkTable, mergeWorkTable } from '../../../core/warehouse/merge.js';
import { createWorkTable } from '../../../core/warehouse/work-table.js';
import { column, id, note, planOf } from '../sql/table.js';

const day = column('DAY', 'DATE', { nullable: false });
const at = column('AT', 'TIMESTAMP_NTZ(6)', { nullable: false });
const code = column('CODE', 'VARCHAR', { nullable: false });
const amount = column('AMOUNT', 'NUMBER(10,2)', { nullable: false });

describe('the target of a MERGE', () => {
  it.each([
    ['a whole number', [id], ['-5', '7'], 't."ID" BETWEEN -5 AND 7'],
    ['a date', [day], ['2025-01-01', '2025-12-31'], `t."DAY" BETWEEN CAST('2025-01-01' AS DATE) AND CAST('2025-12-31' AS DATE)`],
    [
      'a time without a zone',
      [at],
      ['2025-01-01 00:00:00.000001', '2025-01-02 00:00:00.000000'],
      `t."AT" BETWEEN CAST('2025-01-01 00:00:00.000001' AS TIMESTAMP_NTZ(6)) AND CAST('2025-01-02 00:00:00.000000' AS TIMESTAMP_NTZ(6))`,
    ],
    ['text', [code], ["o'a", 'z'], `t."CODE" BETWEEN 'o''a' AND 'z'`],
    ['the part of a key that has a range', [amount, id], ['1', '2'], 't."ID" BETWEEN 1 AND 2'],
  ])('is pruned by %s', (_, keys, [min = '', max = ''], condition) => {
    const plan = planOf('orders', 1, { columns: [...keys, note], primaryKey: keys.map(({ target }) => target) });
    const ranges = keyRanges(plan, { MIN_0: min, MAX_0: max });
    for (const sql of [mergeWorkTable(plan, 'W', ranges), compareWorkTable(plan, 'W', ranges)]) expect(sql).toContain(` AND ${condition}`);
  });

  it.each([
    ['a number with decimals', [amount]],
    ['a key that may be NULL', [note]],
  ])('is not pruned by %s', (_, keys) => {
    const plan = planOf('orders', 1, { columns: [id, ...keys], primaryKey: keys.map(({ target }) => target) });
    expect(summariseWorkTable(plan, 'W')).toBe('SELECT COUNT(*) AS ROWS_KEPT FROM W');
  });

  it.each([
    ['a number that is SQL', id, '1 OR 1=1'],
    ['a date that is SQL', day, "2025-01-01' OR '1'='1"],
    ['a year beyond four digits', at, '12025-01-01 00:00:00.000000'],
    ['text that is very long', code, 'x'.repeat(256)],
  ])('is not pruned by %s', (_, key, text) => {
    const plan = planOf('orders', 1, { columns: [key, note], primaryKey: [key.target] });
    expect(mergeWorkTable(plan, 'W', [{ min: text, max: text }])).not.toContain('BETWEEN');
  });

  it('is not pruned for no rows', () => {
    const plan = planOf('orders', 1);
    expect(mergeWorkTable(plan, 'W', keyRanges(plan, { MIN_0: null, MAX_0: null }))).not.toContain('BETWEEN');
  });
});

it('states the zone of instants, so that the session does not matter', () => {
  const instant = column('AT', 'TIMESTAMP_LTZ(6)', { staging: 'TIMESTAMP_TZ(6)', convert: 'utc' });
  expect(createWorkTable(planOf('orders', 1, { columns: [id, instant] }), 'W', ['R'])).toContain(`CONVERT_TIMEZONE('UTC', d."AT") AS "AT"`);
});
