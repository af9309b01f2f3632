import type { Policies } from '../../core/source/postgres/types.js';

/** A value of PostgreSQL and what becomes of it. A new type or edge is a new row. */
export interface TypeCase {
  type: string;
  /** SQL expression, cast to the type. */
  sql: string;
  /** The value in the Parquet file, as DuckDB prints it (no zero before a point, where the type leaves no room for one); null: NULL. Binary in hexadecimal. */
  value: string | null;
  /** Snowflake type in staging. */
  staging: string;
  policies?: Partial<Policies>;
}

/** A value that the defaults, or these policies, refuse. */
export interface RefusedCase {
  type: string;
  sql: string;
  message: RegExp;
  policies?: Partial<Policies>;
}

const integer = 'NUMBER(38,0)';
const nullDates = { date_out_of_range: 'null' } as const;
const clampDates = { date_out_of_range: 'clamp' } as const;

export const typeCases: TypeCase[] = [
  { type: 'bool', sql: 'true', value: 'true', staging: 'BOOLEAN' },
  { type: 'bool', sql: 'false', value: 'false', staging: 'BOOLEAN' },
  { type: 'int2', sql: "'-32768'", value: '-32768', staging: integer },
  { type: 'int2', sql: '32767', value: '32767', staging: integer },
  { type: 'int4', sql: "'-2147483648'", value: '-2147483648', staging: integer },
  { type: 'int4', sql: '2147483647', value: '2147483647', staging: integer },
  { type: 'int8', sql: "'-9223372036854775808'", value: '-9223372036854775808', staging: integer },
  { type: 'int8', sql: '9223372036854775807', value: '9223372036854775807', staging: integer },
  { type: 'int8', sql: "'-1'", value: '-1', staging: integer },
  { type: 'int8', sql: '9007199254740993', value: '9007199254740993', staging: integer },
  { type: 'oid', sql: "'4294967295'", value: '4294967295', staging: integer },
  { type: 'xid', sql: "'4294967295'", value: '4294967295', staging: integer },
  { type: 'xid8', sql: "'18446744073709551615'", value: '18446744073709551615', staging: 'NUMBER(20,0)' },
  { type: 'float4', sql: '1.5', value: '1.5', staging: 'FLOAT' },
  { type: 'float4', sql: "'NaN'", value: 'nan', staging: 'FLOAT' },
  { type: 'float4', sql: "'3.4028235e38'", value: '3.4028235e+38', staging: 'FLOAT' },
  { type: 'float8', sql: '0.1', value: '0.1', staging: 'FLOAT' },
  { type: 'float8', sql: "'-0'", value: '-0.0', staging: 'FLOAT' },
  { type: 'float8', sql: "'Infinity'", value: 'inf', staging: 'FLOAT' },
  { type: 'float8', sql: "'-Infinity'", value: '-inf', staging: 'FLOAT' },
  { type: 'float8', sql: "'NaN'", value: 'nan', staging: 'FLOAT' },
  { type: 'float8', sql: "'5e-324'", value: '5e-324', staging: 'FLOAT' },
  { type: 'float8', sql: "'1.7976931348623157e308'", value: '1.7976931348623157e+308', staging: 'FLOAT' },

  { type: 'numeric(1,0)', sql: '9', value: '9', staging: 'NUMBER(1,0)' },
  { type: 'numeric(1,1)', sql: '0.9', value: '.9', staging: 'NUMBER(1,1)' },
  { type: 'numeric(5,2)', sql: "'-999.99'", value: '-999.99', staging: 'NUMBER(5,2)' },
  { type: 'numeric(9,0)', sql: '999999999', value: '999999999', staging: 'NUMBER(9,0)' },
  { type: 'numeric(9,9)', sql: '0.000000001', value: '.000000001', staging: 'NUMBER(9,9)' },
  { type: 'numeric(10,2)', sql: '0', value: '0.00', staging: 'NUMBER(10,2)' },
  { type: 'numeric(10,2)', sql: '0.01', value: '0.01', staging: 'NUMBER(10,2)' },
  { type: 'numeric(10,2)', sql: "'-10000.1'", value: '-10000.10', staging: 'NUMBER(10,2)' },
  { type: 'numeric(12,6)', sql: '0.000100', value: '0.000100', staging: 'NUMBER(12,6)' },
  { type: 'numeric(15,2)', sql: '9999999999999.99', value: '9999999999999.99', staging: 'NUMBER(15,2)' },
  { type: 'numeric(16,3)', sql: "'-9999999999999.999'", value: '-9999999999999.999', staging: 'NUMBER(16,3)' },
  { type: 'numeric(18,0)', sql: '999999999999999999', value: '999999999999999999', staging: 'NUMBER(18,0)' },
  { type: 'numeric(18,4)', sql: "'-99999999999999.9999'", value: '-99999999999999.9999', staging: 'NUMBER(18,4)' },
  { type: 'numeric(19,5)', sql: '12345678901234.56789', value: '12345678901234.56789', staging: 'NUMBER(19,5)' },
  { type: 'numeric(19,5)', sql: "'-0.00001'", value: '-0.00001', staging: 'NUMBER(19,5)' },
  { type: 'numeric(38,0)', sql: '9'.repeat(38), value: '9'.repeat(38), staging: 'NUMBER(38,0)' },
  { type: 'numeric(38,0)', sql: `'-${'9'.repeat(38)}'`, value: `-${'9'.repeat(38)}`, staging: 'NUMBER(38,0)' },
  { type: 'numeric(38,37)', sql: `0.${'1'.repeat(37)}`, value: `0.${'1'.repeat(37)}`, staging: 'NUMBER(38,37)' },
  { type: 'numeric(2,-3)', sql: "'-98765'", value: '-99000', staging: 'NUMBER(5,0)' },
  { type: 'numeric(3,5)', sql: '0.00123', value: '.00123', staging: 'NUMBER(5,5)' },
  { type: 'numeric(38,38)', sql: '0.5', value: `0.5${'0'.repeat(37)}`, staging: 'VARCHAR' },
  { type: 'numeric(40,2)', sql: '1.5', value: '1.50', staging: 'VARCHAR' },
  { type: 'numeric', sql: `${'9'.repeat(50)}.123`, value: `${'9'.repeat(50)}.123`, staging: 'VARCHAR' },
  { type: 'numeric', sql: "'NaN'", value: 'NaN', staging: 'VARCHAR' },
  { type: 'numeric', sql: '1.25', value: '1.25', staging: 'FLOAT', policies: { unbounded_numeric: 'float' } },
  { type: 'numeric', sql: "'NaN'", value: 'nan', staging: 'FLOAT', policies: { unbounded_numeric: 'float' } },
  { type: 'numeric', sql: '1.25', value: '1.2500', staging: 'NUMBER(20,4)', policies: { unbounded_numeric: 'number(20,4)' } },
  { type: 'numeric', sql: "'-0.0005'", value: '-0.0005', staging: 'NUMBER(20,4)', policies: { unbounded_numeric: 'number(20,4)' } },
  { type: 'numeric', sql: '1.2500000000', value: '1.25', staging: 'NUMBER(10,2)', policies: { unbounded_numeric: 'number(10,2)' } },
  { type: 'numeric(10,2)', sql: "'NaN'", value: null, staging: 'NUMBER(10,2)', policies: { numeric_nan: 'null' } },
  {
    type: 'numeric',
    sql: "'-Infinity'",
    value: null,
    staging: 'NUMBER(38,9)',
    policies: { unbounded_numeric: 'number(38,9)', numeric_nan: 'null' },
  },

  { type: 'date', sql: "'0001-01-01'", value: '0001-01-01', staging: 'DATE' },
  { type: 'date', sql: "'9999-12-31'", value: '9999-12-31', staging: 'DATE' },
  { type: 'date', sql: "'1969-12-31'", value: '1969-12-31', staging: 'DATE' },
  { type: 'date', sql: "'infinity'", value: null, staging: 'DATE', policies: nullDates },
  { type: 'date', sql: "'infinity'", value: '9999-12-31', staging: 'DATE', policies: clampDates },
  { type: 'date', sql: "'0044-03-15 BC'", value: '0001-01-01', staging: 'DATE', policies: clampDates },
  { type: 'time', sql: "'23:59:59.999999'", value: '23:59:59.999999', staging: 'TIME(6)' },
  { type: 'time', sql: "'00:00'", value: '00:00:00', staging: 'TIME(6)' },
  { type: 'time', sql: "'24:00'", value: '23:59:59.999999', staging: 'TIME(6)', policies: clampDates },
  { type: 'time', sql: "'24:00'", value: null, staging: 'TIME(6)', policies: nullDates },
  { type: 'timestamp', sql: "'0001-01-01 00:00'", value: '0001-01-01 00:00:00', staging: 'TIMESTAMP_NTZ(6)' },
  { type: 'timestamp', sql: "'9999-12-31 23:59:59.999999'", value: '9999-12-31 23:59:59.999999', staging: 'TIMESTAMP_NTZ(6)' },
  { type: 'timestamp', sql: "'1969-12-31 23:59:59.999999'", value: '1969-12-31 23:59:59.999999', staging: 'TIMESTAMP_NTZ(6)' },
  { type: 'timestamp', sql: "'1999-12-31 23:59:59.999999'", value: '1999-12-31 23:59:59.999999', staging: 'TIMESTAMP_NTZ(6)' },
  { type: 'timestamp', sql: "'-infinity'", value: '0001-01-01 00:00:00', staging: 'TIMESTAMP_NTZ(6)', policies: clampDates },
  { type: 'timestamp', sql: "'10000-01-01'", value: '9999-12-31 23:59:59.999999', staging: 'TIMESTAMP_NTZ(6)', policies: clampDates },
  { type: 'timestamp', sql: "'0001-12-31 23:59:59.999999 BC'", value: null, staging: 'TIMESTAMP_NTZ(6)', policies: nullDates },
  { type: 'timestamptz', sql: "'2024-03-10 02:30:00.123456-08'", value: '2024-03-10 10:30:00.123456+00', staging: 'TIMESTAMP_TZ(6)' },
  { type: 'timestamptz', sql: "'infinity'", value: null, staging: 'TIMESTAMP_TZ(6)', policies: nullDates },
  { type: 'timetz', sql: "'12:00:00.5+05:30'", value: '12:00:00.5+05:30', staging: 'VARCHAR' },
  { type: 'interval', sql: "'1 year 2 months 3 days 04:05:06.789'", value: 'P1Y2M3DT4H5M6.789S', staging: 'VARCHAR' },

  { type: 'text', sql: "''", value: '', staging: 'VARCHAR' },
  { type: 'text', sql: "'naïve — 日本 🦊'", value: 'naïve — 日本 🦊', staging: 'VARCHAR' },
  { type: 'text', sql: 'E\'tab\\tnewline\\nback\\\\slash "quote"\'', value: 'tab\tnewline\nback\\slash "quote"', staging: 'VARCHAR' },
  { type: 'text', sql: "repeat('é', 100)", value: 'é'.repeat(100), staging: 'VARCHAR' },
  { type: 'varchar(3)', sql: "'abc'", value: 'abc', staging: 'VARCHAR' },
  { type: 'char(5)', sql: "'ab'", value: 'ab   ', staging: 'VARCHAR' },
  { type: '"char"', sql: "'x'", value: 'x', staging: 'VARCHAR' },
  { type: 'name', sql: "'pg_class'", value: 'pg_class', staging: 'VARCHAR' },
  {
    type: 'uuid',
    sql: "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
    value: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    staging: 'VARCHAR',
  },
  { type: 'mood', sql: "'so so'", value: 'so so', staging: 'VARCHAR' },
  { type: 'citext', sql: "'MiXed'", value: 'MiXed', staging: 'VARCHAR' },
  { type: 'inet', sql: "'192.168.0.1/24'", value: '192.168.0.1/24', staging: 'VARCHAR' },
  { type: 'cidr', sql: "'10.0.0.0/8'", value: '10.0.0.0/8', staging: 'VARCHAR' },
  { type: 'macaddr', sql: "'08:00:2b:01:02:03'", value: '08:00:2b:01:02:03', staging: 'VARCHAR' },
  { type: 'money', sql: '12.34', value: '12.34', staging: 'VARCHAR' },
  { type: 'xml', sql: "'<a>é</a>'", value: '<a>é</a>', staging: 'VARCHAR' },
  { type: 'bit(3)', sql: "B'101'", value: '101', staging: 'VARCHAR' },
  { type: 'tsvector', sql: "'a fat cat'", value: "'a' 'cat' 'fat'", staging: 'VARCHAR' },
  { type: 'point', sql: "'(1.5,2)'", value: '(1.5,2)', staging: 'VARCHAR' },
  { type: 'int4range', sql: "'[1,5)'", value: '[1,5)', staging: 'VARCHAR' },
  { type: 'int4multirange', sql: "'{[1,5),[7,9)}'", value: '{[1,5),[7,9)}', staging: 'VARCHAR' },
  { type: 'tstzrange', sql: "'[2024-01-01 00:00+01,)'", value: '["2023-12-31 23:00:00+00",)', staging: 'VARCHAR' },
  { type: 'pg_lsn', sql: "'16/B374D848'", value: '16/B374D848', staging: 'VARCHAR' },
  { type: 'regclass', sql: "'pg_class'", value: 'pg_class', staging: 'VARCHAR' },
  { type: 'jsonpath', sql: "'$.a'", value: '$."a"', staging: 'VARCHAR' },
  { type: 'int2vector', sql: "'1 2'", value: '1 2', staging: 'VARCHAR' },
  { type: 'bytea', sql: "'\\x00ff10'", value: '00FF10', staging: 'BINARY' },
  { type: 'bytea', sql: "''", value: '', staging: 'BINARY' },

  { type: 'json', sql: `'{"b": 1,  "a": null}'`, value: '{"b": 1,  "a": null}', staging: 'VARIANT' },
  { type: 'json', sql: "'null'", value: 'null', staging: 'VARIANT' },
  { type: 'jsonb', sql: `'{"b": 1, "a": [1, "é"]}'`, value: '{"a": [1, "é"], "b": 1}', staging: 'VARIANT' },
  { type: 'jsonb', sql: "'null'", value: 'null', staging: 'VARIANT' },
  { type: 'hstore', sql: "'a=>1,b=>NULL'", value: '{"a": "1", "b": null}', staging: 'VARIANT' },
  { type: 'int4[]', sql: "'{1,NULL,3}'", value: '[1,null,3]', staging: 'VARIANT' },
  { type: 'int4[]', sql: "'{}'", value: '[]', staging: 'VARIANT' },
  { type: 'text[]', sql: `'{{a,"b \\"c"},{NULL,é}}'`, value: '[["a","b \\"c"],[null,"é"]]', staging: 'VARIANT' },
  { type: 'numeric(5,2)[]', sql: "'{1.50}'", value: '[1.50]', staging: 'VARIANT' },
  { type: 'timestamptz[]', sql: "'{2024-01-01 00:00+01}'", value: '["2023-12-31T23:00:00+00:00"]', staging: 'VARIANT' },
  { type: 'jsonb[]', sql: `array['{"a": 1}'::jsonb]`, value: '[{"a": 1}]', staging: 'VARIANT' },
  { type: 'mood[]', sql: "'{happy}'", value: '["happy"]', staging: 'VARIANT' },
  { type: 'pair', sql: "ROW(1, 'x')", value: '{"a":1,"b":"x"}', staging: 'VARIANT' },

  { type: 'positive', sql: '7', value: '7', staging: integer },
  { type: 'price', sql: '12.5', value: '12.50', staging: 'NUMBER(12,2)' },
  { type: 'dearer', sql: '12.5', value: '12.50', staging: 'NUMBER(12,2)' },
  { type: 'moods', sql: "'{happy}'", value: '["happy"]', staging: 'VARIANT' },
];

export const refusedCases: RefusedCase[] = [
  { type: 'numeric(10,2)', sql: "'NaN'", message: /id=7: column v \(numeric\(10,2\)\) holds NaN/ },
  { type: 'numeric', sql: '1.001', message: /holds 1\.001/, policies: { unbounded_numeric: 'number(10,2)' } },
  { type: 'numeric', sql: '100000000', message: /holds 100000000/, policies: { unbounded_numeric: 'number(10,2)' } },
  { type: 'numeric', sql: '0.00000001', message: /holds 0\.00000001/, policies: { unbounded_numeric: 'number(30,4)' } },
  { type: 'numeric', sql: '1e40', message: /holds 10000/, policies: { unbounded_numeric: 'number(38,0)', numeric_nan: 'null' } },
  { type: 'date', sql: "'infinity'", message: /column v \(date\) holds infinity/ },
  { type: 'date', sql: "'0001-12-31 BC'", message: /holds 0000-12-31/ },
  { type: 'timestamp', sql: "'-infinity'", message: /holds -infinity/ },
  { type: 'timestamptz', sql: "'294276-01-01'", message: /column v \(timestamp with time zone\) holds 2000-01-01 \+ \d+ microseconds/ },
  { type: 'time', sql: "'24:00'", message: /policy date_out_of_range/ },
];

/** Types that the cases use. */
export const typeSetup = `
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN price AS numeric(12,2);
CREATE DOMAIN dearer AS price CHECK (VALUE > 10);
CREATE DOMAIN moods AS mood[];`;
