import type { TypeCase } from './case.js';

/** json, jsonb, hstore. */
export const json: TypeCase[] = [
  { type: 'json', sql: '\'{"b": 1,  "a": null}\'', value: '{"b": 1,  "a": null}', staging: 'VARIANT' },
  { type: 'json', sql: "'null'", value: 'null', staging: 'VARIANT' },
  { type: 'json', sql: "' [ 1 , 2 ] '", value: ' [ 1 , 2 ] ', staging: 'VARIANT' },
  { type: 'json', sql: '\'"text"\'', value: '"text"', staging: 'VARIANT' },
  { type: 'json', sql: "'true'", value: 'true', staging: 'VARIANT' },
  { type: 'json', sql: "'1.0'", value: '1.0', staging: 'VARIANT' },
  { type: 'json', sql: '\'{"a":"\\u00e9\\ud83e\\udd8a"}\'', value: '{"a":"\\u00e9\\ud83e\\udd8a"}', staging: 'VARIANT' },
  { type: 'json', sql: '\'{"":{}}\'', value: '{"":{}}', staging: 'VARIANT' },
  { type: 'json', sql: "'[]'", value: '[]', staging: 'VARIANT' },
  { type: 'json', sql: "'{}'", value: '{}', staging: 'VARIANT' },
  { type: 'json', sql: "'1e5'", value: '1e5', staging: 'VARIANT' },
  { type: 'json', sql: "'-0'", value: '-0', staging: 'VARIANT' },
  { type: 'json', sql: "'12345678901234567890123456789012345678'", value: '12345678901234567890123456789012345678', staging: 'VARIANT' },
  { type: 'json', sql: "'0.1'", value: '0.1', staging: 'VARIANT' },
  { type: 'json', sql: '\'["a\\"b", "\\\\", "\\/"]\'', value: '["a\\"b", "\\\\", "\\/"]', staging: 'VARIANT' },
  { type: 'json', sql: '\'{"A":1,"a":2}\'', value: '{"A":1,"a":2}', staging: 'VARIANT' },
  { type: 'json', sql: '\'""\'', value: '""', staging: 'VARIANT' },
  { type: 'json', sql: "'[[[[[[]]]]]]'", value: '[[[[[[]]]]]]', staging: 'VARIANT' },
  { type: 'jsonb', sql: '\'{"b": 1, "a": [1, "é"]}\'', value: '{"a": [1, "é"], "b": 1}', staging: 'VARIANT' },
  { type: 'jsonb', sql: "'null'", value: 'null', staging: 'VARIANT' },
  { type: 'jsonb', sql: '\'"x"\'', value: '"x"', staging: 'VARIANT' },
  { type: 'jsonb', sql: "'1.0'", value: '1.0', staging: 'VARIANT' },
  { type: 'jsonb', sql: "'1e5'", value: '100000', staging: 'VARIANT' },
  { type: 'jsonb', sql: "'{}'", value: '{}', staging: 'VARIANT' },
  { type: 'jsonb', sql: "'[]'", value: '[]', staging: 'VARIANT' },
  { type: 'jsonb', sql: "'false'", value: 'false', staging: 'VARIANT' },
  { type: 'jsonb', sql: '\'{"a":1,"a":2}\'', value: '{"a": 2}', staging: 'VARIANT' },
  { type: 'jsonb', sql: '\'{"a":{"b":{"c":[1,null,true]}}}\'', value: '{"a": {"b": {"c": [1, null, true]}}}', staging: 'VARIANT' },
  { type: 'jsonb', sql: '\'"\\ud83e\\udd8a"\'', value: '"🦊"', staging: 'VARIANT' },
  { type: 'jsonb', sql: "'12345678901234567890123456789012345678'", value: '12345678901234567890123456789012345678', staging: 'VARIANT' },
  { type: 'jsonb', sql: "'-0'", value: '0', staging: 'VARIANT' },
  { type: 'jsonb', sql: "'1e-7'", value: '0.0000001', staging: 'VARIANT' },
  { type: 'jsonb', sql: '\'"tab\\there"\'', value: '"tab\\there"', staging: 'VARIANT' },
  {
    type: 'jsonb',
    sql: '\'["1234567890123456789012345678901234567890", "\\\\", "a\\"1e999"]\'',
    value: '["1234567890123456789012345678901234567890", "\\\\", "a\\"1e999"]',
    staging: 'VARIANT',
  },
  {
    type: 'json',
    sql: "'[1e308, -2.5E-300, 1.7976931348623157e+308]'",
    value: '[1e308, -2.5E-300, 1.7976931348623157e+308]',
    staging: 'VARIANT',
  },
  { type: 'hstore', sql: "'a=>1,b=>NULL'", value: '{"a": "1", "b": null}', staging: 'VARIANT' },
  { type: 'hstore', sql: "''", value: '{}', staging: 'VARIANT' },
  { type: 'hstore', sql: '\'"k y"=>"v\\"q", é=>日本\'', value: '{"é": "日本", "k y": "v\\"q"}', staging: 'VARIANT' },
];

/** As text all of it arrives as it stands. */
const asText = { json: 'text' } as const;

export const jsonText: TypeCase[] = [
  { type: 'json', sql: '\'{"a": 1,  "a": 2}\'', value: '{"a": 1,  "a": 2}', staging: 'VARCHAR', policies: asText },
  { type: 'json', sql: '\'"\\ud83e"\'', value: '"\\ud83e"', staging: 'VARCHAR', policies: asText },
  { type: 'json', sql: "'1e400'", value: '1e400', staging: 'VARCHAR', policies: asText },
  { type: 'json', sql: "'null'", value: 'null', staging: 'VARCHAR', policies: asText },
  {
    type: 'jsonb',
    sql: "'123456789012345678901234567890123456789012345'",
    value: '123456789012345678901234567890123456789012345',
    staging: 'VARCHAR',
    policies: asText,
  },
  { type: 'jsonb', sql: "'1e40'", value: '10000000000000000000000000000000000000000', staging: 'VARCHAR', policies: asText },
  {
    type: 'numeric[]',
    sql: "'{0.12345678901234567890123456789012345678901234567890}'",
    value: '[0.12345678901234567890123456789012345678901234567890]',
    staging: 'VARCHAR',
    policies: asText,
  },
  { type: 'int4[]', sql: "'{{1,NULL},{3,4}}'", value: '[[1,null],[3,4]]', staging: 'VARCHAR', policies: asText },
  { type: 'hstore', sql: "'a=>1,b=>NULL'", value: '{"a": "1", "b": null}', staging: 'VARCHAR', policies: asText },
  { type: 'pair', sql: "ROW(1, 'x')", value: '{"a":1,"b":"x"}', staging: 'VARCHAR', policies: asText },
  { type: 'document', sql: '\'{"a": 1}\'', value: '{"a": 1}', staging: 'VARCHAR', policies: asText },
  { type: 'text', sql: "'{'", value: '{', staging: 'VARCHAR', policies: asText },
];

/** Values of type json that a VARIANT cannot hold as they are. */
export const unparsableJson = [
  { what: 'a number of 39 digits', sql: "'[1, 123456789012345678901234567890123456789]'" },
  { what: 'a number with 38 digits behind the point', sql: '\'{"a": 0.12345678901234567890123456789012345678}\'' },
  { what: 'a number with 18 digits and an exponent', sql: "'1.23456789012345678e5'" },
  { what: 'a number beyond a double', sql: "'1e400'" },
  { what: 'a number below a double', sql: "'1e-400'" },
  { what: 'a long number behind a text with quotes', sql: `'["a\\"b", 1234567890123456789012345678901234567890]'` },
  { what: 'a key twice', sql: `'{"a": 1, "a": 2}'` },
  { what: 'a key twice, deep within', sql: `'[{"b": {"a": 1, "c": 3, "a": 1}}]'` },
  { what: 'a lone surrogate', sql: `'"\\ud83e"'` },
];
