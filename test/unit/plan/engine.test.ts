import { describe, expect, it } from 'vitest';
import { chooseEngine, type EngineChoice, measuredRate } from '../../../core/plan/engine.js';

const small: EngineChoice = {
  table: 'orders',
  engine: 'auto',
  estimate: { rows: 1e6, bytes: 1e8 },
  chunks: 1,
  chunkBytes: 2e9,
  rowsPerSecond: null,
  withoutGlue: null,
};

describe('who reads a table', () => {
  it.each<{ what: string; choice: Partial<EngineChoice>; name: 'lambda' | 'glue'; movable: boolean; reason: RegExp }>([
    { what: 'a small one', choice: {}, name: 'lambda', movable: true, reason: /^auto: a Lambda reads 100 MB in about 13 s as assumed$/ },
    { what: 'as configured', choice: { engine: 'lambda' }, name: 'lambda', movable: false, reason: /^engine: lambda$/ },
    { what: 'as configured', choice: { engine: 'glue' }, name: 'glue', movable: false, reason: /^engine: glue$/ },
    {
      what: 'a chunk that no Lambda reads in its time',
      choice: { estimate: { rows: 1e9, bytes: 1e11 } },
      name: 'glue',
      movable: true,
      reason: /^auto: a Lambda reads 100 GB in about 12500 s as assumed, more than the 400 s that a Lambda may plan for$/,
    },
    {
      what: 'the same in chunks',
      choice: { estimate: { rows: 1e9, bytes: 1e11 }, chunks: 50 },
      name: 'lambda',
      movable: true,
      reason: /^auto: a Lambda reads a chunk of 2 GB in about 250 s as assumed$/,
    },
    {
      what: 'more than a run has chunks',
      choice: { estimate: { rows: 1e10, bytes: 2.1e12 }, chunks: 1000, rowsPerSecond: 1e6 },
      name: 'glue',
      movable: true,
      reason: /^auto: 2.1 TB would be more than 1000 chunks of 2 GB$/,
    },
    {
      what: 'a table that was slow',
      choice: { rowsPerSecond: 1000 },
      name: 'glue',
      movable: true,
      reason: /^auto: a Lambda reads 100 MB in about 1000 s at 1000 rows\/s as measured, more/,
    },
    {
      what: 'a large one that was fast',
      choice: { estimate: { rows: 1e8, bytes: 1e10 }, rowsPerSecond: 1e6 },
      name: 'lambda',
      movable: true,
      reason: /^auto: a Lambda reads 10 GB in about 100 s at 1000000 rows\/s as measured$/,
    },
    {
      what: 'a large one where there is no Glue',
      choice: { estimate: { rows: 1e9, bytes: 1e11 }, withoutGlue: 'there is none' },
      name: 'lambda',
      movable: false,
      reason: /, but there is none$/,
    },
  ])('$what: $name', ({ choice, name, movable, reason }) => {
    expect(chooseEngine({ ...small, ...choice })).toEqual({ name, movable, reason: expect.stringMatching(reason) });
  });

  it('is not Glue where there is none', () => {
    expect(() => chooseEngine({ ...small, engine: 'glue', withoutGlue: 'the environment has no Glue job' })).toThrow(
      expect.objectContaining({ code: 'ConfigInvalid', message: 'orders has engine: glue, but the environment has no Glue job.' }),
    );
  });
});

it.each([
  { rows: 1000, seconds: 9.9, rate: null },
  { rows: 1000, seconds: 10, rate: 100 },
  { rows: 0, seconds: 60, rate: null },
])('$rows rows in $seconds s measure $rate rows/s', ({ rows, seconds, rate }) => expect(measuredRate(rows, seconds)).toBe(rate));
