import type { Column } from '../../../core/column.js';
import { column, id, json, note, type PlanChanges, type Value } from './table.js';

/** One run over a staging table that an earlier run has filled. A new case is a new row. */
export interface MergeCase {
  name: string;
  columns?: Column[];
  key?: string[];
  before: Value[][];
  /** Rows of the run under test. */
  rows: Value[][];
  changes?: PlanChanges;
  /** inserted, updated, unchanged, superseded, deleted; or the code of the error, which leaves staging as it was. */
  answer: number[] | string;
  after: unknown[][];
}

const incremental: PlanChanges = {
  mode: 'incremental',
  cursor: { column: 'id', from: '1', onNull: 'error' },
  deletes: { detect: false },
};
const ranges = (name: string): PlanChanges['chunks'] => [
  { number: 0, column: name, from: null, to: '2' },
  { number: 1, column: name, from: '2', to: null },
];
const region = column('REGION', 'VARCHAR');
const weird = column('a"; DROP TABLE FIRN.RUN_EVENTS; --', 'VARCHAR');
const seen = column('SEEN', 'NUMBER(38,0)');

export const mergeCases: MergeCase[] = [
  {
    name: 'new rows',
    before: [],
    rows: [
      [1, 'a'],
      [2, 'b'],
    ],
    answer: [2, 0, 0, 0, 0],
    after: [
      [1, 'a'],
      [2, 'b'],
    ],
  },
  {
    name: 'the same rows again',
    before: [
      [1, 'a'],
      [2, null],
    ],
    rows: [
      [1, 'a'],
      [2, null],
    ],
    answer: [0, 0, 2, 0, 0],
    after: [
      [1, 'a'],
      [2, null],
    ],
  },
  {
    name: 'one new, one changed, one unchanged',
    before: [
      [1, 'a'],
      [2, 'b'],
    ],
    rows: [
      [1, 'a'],
      [2, 'B'],
      [3, 'c'],
    ],
    answer: [1, 1, 1, 0, 0],
    after: [
      [1, 'a'],
      [2, 'B'],
      [3, 'c'],
    ],
  },
  {
    name: 'NULL is not the empty text',
    before: [
      [1, null],
      [2, ''],
    ],
    rows: [
      [1, ''],
      [2, null],
    ],
    answer: [0, 2, 0, 0, 0],
    after: [
      [1, ''],
      [2, null],
    ],
  },
  {
    name: 'values that change places',
    columns: [id, note, region],
    before: [[1, null, 'x']],
    rows: [[1, 'x', null]],
    answer: [0, 1, 0, 0, 0],
    after: [[1, 'x', null]],
  },
  { name: 'no rows, incremental', changes: incremental, before: [[1, 'a']], rows: [], answer: [0, 0, 0, 0, 0], after: [[1, 'a']] },
  {
    name: 'an incremental run deletes nothing',
    changes: incremental,
    before: [
      [1, 'a'],
      [2, 'b'],
    ],
    rows: [[2, 'B']],
    answer: [0, 1, 0, 0, 0],
    after: [
      [1, 'a'],
      [2, 'B'],
    ],
  },
  {
    name: 'a declared key that several rows have',
    changes: { deletes: { maxFraction: 1 } },
    before: [[2, 'b']],
    rows: [
      [1, 'a'],
      [1, 'b'],
    ],
    answer: 'PrimaryKeyNotUnique',
    after: [[2, 'b']],
  },
  {
    name: 'a declared key that is NULL twice, incremental, in chunks of that key',
    columns: [column('ID', 'NUMBER(38,0)'), note],
    changes: { ...incremental, chunks: ranges('id') },
    before: [],
    rows: [
      [null, 'a'],
      [null, 'b'],
    ],
    answer: 'PrimaryKeyNotUnique',
    after: [],
  },
  {
    name: 'a row that moved between the snapshots of two ranges of another key',
    changes: { chunks: [{ number: 0, column: null, from: null, to: null, key: { columns: ['place', 'code'], from: null, to: null } }] },
    before: [],
    rows: [
      [1, 'a'],
      [1, 'a'],
    ],
    answer: [1, 0, 0, 1, 0],
    after: [[1, 'a']],
  },
  {
    name: 'a row that moved between the snapshots of two chunks',
    changes: { chunks: ranges('place') },
    before: [],
    rows: [
      [1, 'a'],
      [1, 'a'],
    ],
    answer: [1, 0, 0, 1, 0],
    after: [[1, 'a']],
  },
  {
    name: 'two versions of a key in the run: the greater cursor',
    columns: [id, note, seen],
    changes: { ...incremental, cursor: { column: 'seen', from: '1', onNull: 'include' }, chunks: ranges('seen') },
    before: [[1, 'old', 1]],
    rows: [
      [1, 'none', null],
      [1, 'new', 3],
      [1, 'middle', 2],
    ],
    answer: [0, 1, 0, 2, 0],
    after: [[1, 'new', 3]],
  },
  {
    name: 'keys below zero and beyond 2^53',
    before: [['-9223372036854775808', 'a']],
    rows: [
      ['-9223372036854775808', 'A'],
      ['9223372036854775807', 'b'],
    ],
    answer: [1, 1, 0, 0, 0],
    after: [
      ['-9223372036854775808', 'A'],
      ['9223372036854775807', 'b'],
    ],
  },

  {
    name: 'gone rows, hard',
    before: [
      [1, 'a'],
      [2, 'b'],
    ],
    rows: [[1, 'a']],
    answer: [0, 0, 1, 0, 1],
    after: [[1, 'a']],
  },
  {
    name: 'gone rows and new ones',
    before: [
      [1, 'a'],
      [2, 'b'],
    ],
    rows: [
      [1, 'A'],
      [3, 'c'],
    ],
    answer: [1, 1, 0, 0, 1],
    after: [
      [1, 'A'],
      [3, 'c'],
    ],
  },
  {
    name: 'gone rows, where absence proves nothing',
    changes: { deletes: { detect: false } },
    before: [
      [1, 'a'],
      [2, 'b'],
    ],
    rows: [[1, 'a']],
    answer: [0, 0, 1, 0, 0],
    after: [
      [1, 'a'],
      [2, 'b'],
    ],
  },
  {
    name: 'more gone than allowed',
    before: [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ],
    rows: [[1, 'A']],
    answer: 'DeleteFractionExceeded',
    after: [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ],
  },
  { name: 'all gone', before: [[1, 'a']], rows: [], answer: 'DeleteFractionExceeded', after: [[1, 'a']] },
  { name: 'all gone, as told', changes: { deletes: { maxFraction: 1 } }, before: [[1, 'a']], rows: [], answer: [0, 0, 0, 0, 1], after: [] },
  {
    name: 'none may go',
    changes: { deletes: { maxFraction: 0 } },
    before: [
      [1, 'a'],
      [2, 'b'],
    ],
    rows: [[2, 'b']],
    answer: 'DeleteFractionExceeded',
    after: [
      [1, 'a'],
      [2, 'b'],
    ],
  },

  {
    name: 'two columns are the key',
    columns: [region, id, note],
    key: ['REGION', 'ID'],
    before: [
      ['eu', 1, 'a'],
      ['us', 1, 'b'],
    ],
    rows: [
      ['eu', 1, 'a'],
      ['us', 1, 'B'],
      ['us', 2, 'c'],
    ],
    answer: [1, 1, 1, 0, 0],
    after: [
      ['eu', 1, 'a'],
      ['us', 1, 'B'],
      ['us', 2, 'c'],
    ],
  },
  {
    name: 'a key with NULL',
    columns: [region, id, note],
    key: ['REGION', 'ID'],
    before: [
      [null, 1, 'a'],
      ['us', 1, 'b'],
    ],
    rows: [[null, 1, 'A']],
    answer: [0, 1, 0, 0, 1],
    after: [[null, 1, 'A']],
  },
  {
    name: 'text is the key',
    columns: [region, note],
    key: ['REGION'],
    before: [["o'x\\", 'a']],
    rows: [["o'x\\", 'b']],
    answer: [0, 1, 0, 0, 0],
    after: [["o'x\\", 'b']],
  },
  {
    name: 'names that would be SQL',
    columns: [id, weird],
    before: [[1, 'a']],
    rows: [[1, 'b']],
    answer: [0, 1, 0, 0, 0],
    after: [[1, 'b']],
  },

  {
    name: 'no key: all rows are replaced',
    key: [],
    before: [
      [1, 'a'],
      [1, 'a'],
    ],
    rows: [
      [1, 'a'],
      [1, 'a'],
      [2, 'b'],
    ],
    answer: [3, 0, 0, 0, 2],
    after: [
      [1, 'a'],
      [1, 'a'],
      [2, 'b'],
    ],
  },
  {
    name: 'no key: fewer rows than allowed',
    key: [],
    before: [
      [1, 'a'],
      [1, 'a'],
      [2, 'b'],
    ],
    rows: [[1, 'a']],
    answer: 'DeleteFractionExceeded',
    after: [
      [1, 'a'],
      [1, 'a'],
      [2, 'b'],
    ],
  },

  {
    name: 'another key than before: all rows are replaced, once per key',
    columns: [id, note],
    changes: { replaces: true, chunks: ranges('note') },
    before: [
      [1, 'a'],
      [2, 'b'],
    ],
    rows: [
      [1, 'a'],
      [1, 'a'],
      [3, 'c'],
    ],
    answer: [2, 0, 0, 1, 2],
    after: [
      [1, 'a'],
      [3, 'c'],
    ],
  },
  {
    name: 'a declared key that is NULL in one row',
    columns: [column('ID', 'NUMBER(38,0)'), note],
    before: [
      [1, 'a'],
      [null, 'b'],
    ],
    rows: [
      [1, 'a'],
      [null, 'b'],
    ],
    answer: [0, 0, 2, 0, 0],
    after: [
      [1, 'a'],
      [null, 'b'],
    ],
  },

  {
    name: 'JSON in another form is the same',
    columns: [id, json],
    before: [
      [1, '{"a": 1}'],
      [2, '"text"'],
    ],
    rows: [
      [1, '{"a":1}'],
      [2, '"text"'],
    ],
    answer: [0, 0, 2, 0, 0],
    after: [
      [1, { a: 1 }],
      [2, 'text'],
    ],
  },
  {
    name: 'JSON that is not',
    columns: [id, json],
    before: [[1, '{"a":1}']],
    rows: [[1, '{"a":']],
    answer: 'ValueOutOfRange',
    after: [[1, { a: 1 }]],
  },
];
