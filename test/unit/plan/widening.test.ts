import { expect, it } from 'vitest';
import { isWidening } from '../../../core/plan/widening.js';

it.each([
  ['integer', 'bigint'],
  ['smallint', 'bigint'],
  ['real', 'double precision'],
  ['character varying(10)', 'character varying(20)'],
  ['character varying(10)', 'character varying'],
  ['character varying(10)', 'text'],
  ['text', 'character varying'],
  ['numeric(10,2)', 'numeric(12,2)'],
  ['bit varying(5)', 'bit varying'],
  ['timestamp(3) without time zone', 'timestamp without time zone'],
  ['time(0) without time zone', 'time(3) without time zone'],
])('%s keeps its values as %s', (before, now) => {
  expect(isWidening(before, now)).toBe(true);
});

it.each([
  ['bigint', 'integer'],
  ['integer', 'double precision'],
  ['integer', 'text'],
  ['text', 'character varying(10)'],
  ['character varying(20)', 'character varying(10)'],
  ['character varying', 'character varying(10)'],
  ['character(5)', 'character(9)'],
  ['character(5)', 'text'],
  ['numeric(12,2)', 'numeric(10,2)'],
  ['numeric(10,2)', 'numeric(12,3)'],
  ['numeric(10,2)', 'numeric'],
  ['numeric', 'numeric(10,2)'],
  ['timestamp without time zone', 'timestamp(3) without time zone'],
  ['timestamp without time zone', 'timestamp with time zone'],
  ['date', 'timestamp without time zone'],
  ['json', 'jsonb'],
])('%s may become another value as %s', (before, now) => {
  expect(isWidening(before, now)).toBe(false);
});
