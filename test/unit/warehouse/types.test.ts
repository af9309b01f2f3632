import { expect, it } from 'vitest';
import { compareTypes, parseType } from '../../../core/warehouse/types.js';

const none = { kind: 'none' };
const incompatible = { kind: 'incompatible' };
const widen = (type: string) => ({ kind: 'widen', type });

it.each([
  ['NUMBER(38,0)', 'NUMBER(38,0)', none],
  ['NUMBER(38,0)', 'NUMBER', none],
  ['NUMBER(10,2)', 'NUMBER(12,2)', widen('NUMBER(12,2)')],
  ['NUMBER(12,2)', 'NUMBER(10,2)', none],
  ['NUMBER(12,4)', 'NUMBER(12,2)', widen('NUMBER(14,4)')],
  ['NUMBER(12,2)', 'NUMBER(12,4)', incompatible],
  ['NUMBER(38,10)', 'NUMBER(38,0)', incompatible],
  ['VARCHAR', 'VARCHAR(16777216)', none],
  ['VARCHAR(10)', 'VARCHAR', widen('VARCHAR(16777216)')],
  ['VARCHAR', 'VARCHAR(134217728)', widen('VARCHAR(134217728)')],
  ['TEXT', 'VARCHAR', none],
  ['TIMESTAMP_NTZ', 'TIMESTAMP_NTZ(6)', none],
  ['TIMESTAMP_NTZ', 'TIMESTAMP_TZ(6)', incompatible],
  ['VARCHAR', 'VARIANT', incompatible],
  ['NUMBER(38,0)', 'VARCHAR', incompatible],
  ['FLOAT', 'DOUBLE', none],
])('a column of type %s that shall take %s', (held, wanted, change) => {
  expect(compareTypes(parseType(held), parseType(wanted))).toEqual(change);
});

it('refuses what is no type', () => {
  expect(() => parseType('NUMBER(10,2); DROP TABLE X')).toThrow(/not a Snowflake type/);
});
