import { describe, expect, it } from 'vitest';
import type { Column } from '../../../core/column.js';
import { formerKey, type ReadBefore } from '../../../core/plan/what-changed.js';
import { column, planOf } from '../sql/table.js';

const keyed = (sourceType: string, staging: string, more: Partial<Column> = {}): ReadBefore =>
  planOf('orders', 1, { columns: [column('ID', staging, { sourceType, nullable: false, ...more })] });

const type = (sourceType: string, staging: string) => ({ sourceType, staging });

describe('the rows in staging', () => {
  it.each([
    { from: type('integer', 'NUMBER(38,0)'), to: type('bigint', 'NUMBER(38,0)') },
    { from: type('bigint', 'NUMBER(38,0)'), to: type('integer', 'NUMBER(38,0)') },
    { from: type('int(11)', 'NUMBER(38,0)'), to: type('bigint unsigned', 'NUMBER(20,0)') },
    { from: type('character varying(10)', 'VARCHAR'), to: type('text', 'VARCHAR') },
    { from: type('varchar(10)', 'VARCHAR'), to: type('varchar(20)', 'VARCHAR') },
    { from: type('numeric(10,2)', 'NUMBER(10,2)'), to: type('numeric(12,2)', 'NUMBER(12,2)') },
  ])('are found by a key that was $from.sourceType and is $to.sourceType', ({ from, to }) => {
    expect(formerKey(keyed(from.sourceType, from.staging), keyed(to.sourceType, to.staging))).toBeNull();
  });

  it.each([
    { from: type('bigint', 'NUMBER(38,0)'), to: type('text', 'VARCHAR') },
    // Its values lose their blanks.
    { from: type('character(3)', 'VARCHAR'), to: type('text', 'VARCHAR') },
    { from: type('character(3)', 'VARCHAR'), to: type('character(5)', 'VARCHAR') },
    { from: type('inet', 'VARCHAR'), to: type('text', 'VARCHAR') },
    { from: type('numeric(10,2)', 'NUMBER(10,2)'), to: type('numeric(10,0)', 'NUMBER(10,0)') },
  ])('are not found by a key that was $from.sourceType and is $to.sourceType', ({ from, to }) => {
    expect(formerKey(keyed(from.sourceType, from.staging), keyed(to.sourceType, to.staging))).toEqual(['ID']);
  });

  it('are not found by a key that is masked from now on, nor by one that no longer is', () => {
    const [clear, masked] = [keyed('text', 'VARCHAR'), keyed('text', 'VARCHAR', { mask: 'sha256' })];
    expect(formerKey(clear, masked)).toEqual(['ID']);
    expect(formerKey(masked, clear)).toEqual(['ID']);
    expect(formerKey(masked, masked)).toBeNull();
  });
});
