import { describe, expect, it } from 'vitest';
import { compareWorkTable, createWorkTable, mergeWorkTable, summariseWorkTable } from '../../../core/warehouse/merge.js';
import { column, id, note, planOf } from '../sql/table.js';

const range = { min: '-5', max: '7' };

describe('the target of a MERGE', () => {
  it.each([
    ['a whole number', [id, note], ['ID'], true],
    ['a number with decimals', [column('ID', 'NUMBER(10,2)', { nullable: false }), note], ['ID'], false],
    ['text', [column('ID', 'VARCHAR', { nullable: false }), note], ['ID'], false],
    ['two columns', [id, note], ['ID', 'NOTE'], false],
  ])('is pruned by constants only for whole numbers: %s', (_, columns, primaryKey, pruned) => {
    const plan = planOf('orders', 1, { columns, primaryKey });
    for (const sql of [mergeWorkTable(plan, 'W', range), compareWorkTable(plan, 'W', range)]) {
      expect(sql.includes('t."ID" BETWEEN -5 AND 7')).toBe(pruned);
    }
    expect(summariseWorkTable(plan, 'W').includes('MIN("ID")')).toBe(pruned);
  });

  it('is not pruned by anything but digits', () => {
    expect(mergeWorkTable(planOf('orders', 1), 'W', { min: '1 OR 1=1', max: '2' })).not.toContain('BETWEEN');
  });
});

it('states the zone of instants, so that the session does not matter', () => {
  const at = column('AT', 'TIMESTAMP_LTZ(6)', { staging: 'TIMESTAMP_TZ(6)', convert: 'utc' });
  expect(createWorkTable(planOf('orders', 1, { columns: [id, at] }), 'W', ['R'])).toContain(`CONVERT_TIMEZONE('UTC', d."AT") AS "AT"`);
});
