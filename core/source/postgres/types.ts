import type { Column, ParquetType } from '../../column.js';
import type { TableConfig } from '../../config/schema.js';
import { FirnError } from '../../errors.js';
import type { ArrayElement } from './decoder-array.js';

export type Policies = Pick<NonNullable<TableConfig['policies']>, 'numeric_nan' | 'unbounded_numeric' | 'date_out_of_range' | 'json'>;
export const defaultPolicies: Policies = { numeric_nan: 'error', unbounded_numeric: 'text', date_out_of_range: 'error', json: 'error' };

/** A column's type as the catalog tells it; a domain is already replaced by its base type. */
export interface SourceType {
  schema: string;
  name: string;
  /** pg_type.typtype: b base, c composite, e enum, r range, m multirange. */
  kind: string;
  typmod: number;
  array: boolean;
}

/** In what form the server sends the column: its own binary form, or converted by the query. */
export type Selection = 'native' | 'text' | 'json' | 'money' | 'moneys';

/** How the decoder reads the field. `bytes` and `binary` take it as it is, up to what a VARCHAR or a BINARY of Snowflake holds. */
export type Decoder =
  | { kind: 'bool' | 'int2' | 'int4' | 'int8' | 'uint4' | 'uint8' | 'float4' | 'float8' }
  | { kind: 'date' | 'time' | 'timestamp' | 'uuid' }
  | { kind: 'jsonb' | 'bytes' | 'binary'; large?: boolean }
  | { kind: 'numeric'; precision: number; scale: number }
  /** Of any precision, as the nearest double. */
  | { kind: 'numericDouble' }
  /** Of any precision, as text. */
  | { kind: 'numericText'; large?: boolean }
  /** As JSON. */
  | { kind: 'array'; element: ArrayElement; large?: boolean };

/** What the configuration says of one column. */
export interface Treatment {
  /** Takes the longest values that Snowflake has a type for. */
  large?: boolean;
  mask?: Column['mask'];
}

export interface Mapping extends Pick<Column, 'parquet' | 'raw' | 'staging' | 'convert' | 'unrepresentable'> {
  selection: Selection;
  decoder: Decoder;
}

function mapping(
  parquet: ParquetType,
  snowflake: string,
  kind: Exclude<Decoder['kind'], 'numeric' | 'array'>,
  more: Partial<Mapping> = {},
): Mapping {
  return { parquet, raw: snowflake, staging: snowflake, convert: 'none', selection: 'native', decoder: { kind }, ...more };
}

const text = mapping({ kind: 'string' }, 'VARCHAR', 'bytes');
const textBySource: Mapping = { ...text, selection: 'text' };
const json = mapping({ kind: 'json' }, 'VARCHAR', 'bytes', { staging: 'VARIANT', convert: 'parse_json' });
const jsonBySource: Mapping = { ...json, selection: 'json' };
const numericText = mapping({ kind: 'string' }, 'VARCHAR', 'numericText');
const integer = 'NUMBER(38,0)';

/** The types of pg_catalog that have a decoder. All others are sent as text by the server. */
const types: Record<string, Mapping> = {
  bool: mapping({ kind: 'boolean' }, 'BOOLEAN', 'bool'),
  int2: mapping({ kind: 'int32' }, integer, 'int2'),
  int4: mapping({ kind: 'int32' }, integer, 'int4'),
  int8: mapping({ kind: 'int64' }, integer, 'int8'),
  oid: mapping({ kind: 'int64' }, integer, 'uint4'),
  xid: mapping({ kind: 'int64' }, integer, 'uint4'),
  cid: mapping({ kind: 'int64' }, integer, 'uint4'),
  // Snowflake rejects UINT64 beyond 2^63 - 1.
  xid8: mapping({ kind: 'decimal', precision: 20, scale: 0 }, 'NUMBER(20,0)', 'uint8'),
  float4: mapping({ kind: 'float' }, 'FLOAT', 'float4'),
  float8: mapping({ kind: 'double' }, 'FLOAT', 'float8'),
  date: mapping({ kind: 'date' }, 'DATE', 'date'),
  time: mapping({ kind: 'time' }, 'TIME(6)', 'time'),
  timestamp: mapping({ kind: 'timestamp', utc: false }, 'TIMESTAMP_NTZ(6)', 'timestamp'),
  timestamptz: mapping({ kind: 'timestamp', utc: true }, 'TIMESTAMP_LTZ(6)', 'timestamp', { staging: 'TIMESTAMP_TZ(6)', convert: 'utc' }),
  text,
  varchar: text,
  // Not by ::text, which strips the padding.
  bpchar: text,
  name: text,
  uuid: mapping({ kind: 'string' }, 'VARCHAR', 'uuid'),
  bytea: mapping({ kind: 'binary' }, 'BINARY', 'binary'),
  json,
  jsonb: { ...json, decoder: { kind: 'jsonb' } },
  // Its own text depends on the locale.
  money: { ...text, selection: 'money' },
};

/** Arrays of pg_catalog whose JSON is made here. That of all others is sent by the server: its elements' text is not told by their bytes alone. */
const arrayElements: Record<string, ArrayElement> = {
  _bool: 'bool',
  _int2: 'int2',
  _int4: 'int4',
  _int8: 'int8',
  _uuid: 'uuid',
  _numeric: 'numeric',
  _text: 'text',
  _varchar: 'text',
  _bpchar: 'text',
  _name: 'text',
};

const dated = new Set(['date', 'time', 'timestamp', 'timestamptz']);

/** @throws FirnError ConfigInvalid for a policy that Snowflake cannot hold */
export function mapType(type: SourceType, policies: Policies, { large = false, mask }: Treatment = {}): Mapping {
  // Of the value's text: 64 digits.
  if (mask === 'sha256') return text;
  const mapped = mapValues(type, policies);
  // As it stands, and nothing to be parsed.
  const kept: Mapping =
    mapped.convert === 'parse_json' && policies.json === 'text'
      ? { ...mapped, parquet: { kind: 'string' }, staging: 'VARCHAR', convert: 'none' }
      : mapped;
  return large ? enlarged(kept) : kept;
}

/** Source: Snowflake documentation, "String & binary data types": 16 and 8 MB unless a column is declared longer. */
const longest: Record<string, string> = { VARCHAR: 'VARCHAR(134217728)', BINARY: 'BINARY(67108864)' };

export const isLarge = ({ raw }: Pick<Column, 'raw'>): boolean => Object.values(longest).includes(raw);

const variable = new Set<Decoder['kind']>(['bytes', 'binary', 'jsonb', 'numericText', 'array']);

function enlarged(mapped: Mapping): Mapping {
  const { decoder, raw, staging } = mapped;
  if (!variable.has(decoder.kind)) return mapped;
  return { ...mapped, decoder: { ...decoder, large: true } as Decoder, raw: longest[raw] ?? raw, staging: longest[staging] ?? staging };
}

function mapValues(type: SourceType, policies: Policies): Mapping {
  if (type.array && type.schema === 'pg_catalog' && type.name === '_money') return { ...jsonBySource, selection: 'moneys' };
  const element = type.array && type.schema === 'pg_catalog' ? arrayElements[type.name] : undefined;
  if (element !== undefined) return { ...json, decoder: { kind: 'array', element } };
  if (type.array || type.kind === 'c') return jsonBySource;
  if (type.kind === 'e') return text;
  if (type.schema !== 'pg_catalog') return type.name === 'hstore' ? jsonBySource : textBySource;
  if (type.name === 'numeric') return mapNumeric(type.typmod, policies);
  const found = types[type.name];
  if (found === undefined) return textBySource;
  return dated.has(type.name) ? { ...found, unrepresentable: policies.date_out_of_range } : found;
}

/** Precision and scale of numeric(p,s). The scale has 11 bits and a sign. Source: PostgreSQL, numeric.c, make_numeric_typmod. */
function declared(typmod: number): { precision: number; scale: number } | null {
  if (typmod < 4) return null;
  const bits = typmod - 4;
  const precision = (bits >> 16) & 0xffff;
  const scale = ((bits & 0x7ff) ^ 1024) - 1024;
  if (scale < 0) return { precision: precision - scale, scale: 0 };
  return { precision: Math.max(precision, scale), scale };
}

function decimal(precision: number, scale: number, policies: Policies): Mapping {
  return {
    ...mapping({ kind: 'decimal', precision, scale }, `NUMBER(${precision},${scale})`, 'bytes'),
    decoder: { kind: 'numeric', precision, scale },
    unrepresentable: policies.numeric_nan,
  };
}

function mapNumeric(typmod: number, policies: Policies): Mapping {
  const size = declared(typmod);
  if (size !== null && size.precision <= 38 && size.scale <= 37) return decimal(size.precision, size.scale, policies);
  const policy = policies.unbounded_numeric;
  if (policy === 'text') return numericText;
  if (policy === 'float') return mapping({ kind: 'double' }, 'FLOAT', 'numericDouble');
  const [precision, scale] = policy.match(/\d+/g)!.map(Number) as [number, number];
  if (precision < 1 || precision > 38 || scale > 37 || scale > precision) {
    throw new FirnError(
      'ConfigInvalid',
      `policies.unbounded_numeric: ${policy} is not a NUMBER of Snowflake (precision 1 to 38, scale 0 to 37).`,
    );
  }
  return decimal(precision, scale, policies);
}

/** The policies that a planned column was made by, as far as they concern it: what the extractor has in hand is the plan. */
export function policiesOf({ parquet, unrepresentable = 'error' }: Pick<Column, 'parquet' | 'unrepresentable'>): Policies {
  const unbounded =
    parquet.kind === 'decimal' ? `number(${parquet.precision},${parquet.scale})` : parquet.kind === 'double' ? 'float' : 'text';
  return {
    numeric_nan: unrepresentable === 'null' ? 'null' : 'error',
    unbounded_numeric: unbounded,
    date_out_of_range: unrepresentable,
    json: parquet.kind === 'string' ? 'text' : 'error',
  };
}
