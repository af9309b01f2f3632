import type { Column, ParquetType } from '../../column.js';
import type { TableConfig } from '../../config/schema.js';
import { FirnError } from '../../errors.js';

export type Policies = Pick<NonNullable<TableConfig['policies']>, 'unbounded_numeric' | 'date_out_of_range' | 'json' | 'time' | 'tinyint1'>;
export const defaultPolicies: Policies = {
  unbounded_numeric: 'text',
  date_out_of_range: 'error',
  json: 'error',
  time: 'time',
  tinyint1: 'number',
};

/** A column's type as information_schema.COLUMNS tells it. */
export interface SourceType {
  /** DATA_TYPE: `int`, `varchar`. */
  name: string;
  /** COLUMN_TYPE: `int(10) unsigned`. */
  full: string;
  precision: number | null;
  scale: number | null;
  /** Of strings; null: bytes. */
  charset: string | null;
  /** MariaDB's JSON: a longtext whose check is json_valid. */
  checkedAsJson: boolean;
}

/** In what form the server sends the column: its own, or converted by the query. */
export type Selection = 'native' | 'text' | 'converted';

/** How the decoder reads a value of the binary protocol, and what it makes of it. `bytes` are as long as a VARCHAR or BINARY may be. */
export type Decoder =
  /** To INT32, INT64 or, as `w16`, DECIMAL(20,0). */
  | { kind: 'integer'; unsigned: boolean; to: 'w4' | 'w8' | 'w16' }
  | { kind: 'boolean' | 'float' | 'double' | 'date' | 'datetime' | 'time' | 'bytes' | 'binary' | 'geometry' }
  /** Text behind a byte 0xff where the server could not convert it. */
  | { kind: 'converted' }
  /** TIME as text, with `fraction` places. */
  | { kind: 'duration'; fraction: number }
  /** DECIMAL of any precision, as the nearest double. */
  | { kind: 'decimalDouble' }
  | { kind: 'bits'; to: 'bits' | 'w8' | 'w16' }
  /** `exact`: the server sends `scale` places, and no more digits than fit. */
  | { kind: 'decimal'; precision: number; scale: number; exact: boolean };

export interface Mapping extends Pick<Column, 'parquet' | 'raw' | 'staging' | 'convert' | 'unrepresentable'> {
  selection: Selection;
  decoder: Decoder;
}

function mapping(parquet: ParquetType, snowflake: string, decoder: Decoder, more: Partial<Mapping> = {}): Mapping {
  return { parquet, raw: snowflake, staging: snowflake, convert: 'none', selection: 'native', decoder, ...more };
}

const integer = (to: 'w4' | 'w8', unsigned = false): Mapping =>
  mapping({ kind: to === 'w4' ? 'int32' : 'int64' }, 'NUMBER(38,0)', { kind: 'integer', unsigned, to });
const text = mapping({ kind: 'string' }, 'VARCHAR', { kind: 'bytes' });
const textBySource: Mapping = { ...text, selection: 'text' };
const convertedText: Mapping = { ...mapping(text.parquet, text.raw, { kind: 'converted' }), selection: 'converted' };
const bytes = mapping({ kind: 'binary' }, 'BINARY', { kind: 'binary' });
const json = mapping({ kind: 'json' }, 'VARCHAR', { kind: 'bytes' }, { staging: 'VARIANT', convert: 'parse_json' });
/** Snowflake rejects UINT64 beyond 2^63 - 1. */
const unsigned64: Pick<Mapping, 'parquet' | 'raw' | 'staging'> = {
  parquet: { kind: 'decimal', precision: 20, scale: 0 },
  raw: 'NUMBER(20,0)',
  staging: 'NUMBER(20,0)',
};

/** Charsets of which every code has a character. Of others the server makes a `?` of a code that has none, and says nothing. */
const complete = new Set([
  ...['utf8mb4', 'utf8mb3', 'utf8', 'utf16', 'utf16le', 'utf32', 'ucs2'],
  ...['latin1', 'latin2', 'latin5', 'latin7', 'koi8r', 'koi8u', 'cp850', 'cp852', 'cp866', 'macce', 'macroman', 'keybcs2'],
]);

const geometries = new Set([
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geometrycollection',
  'geomcollection',
]);

/** @throws FirnError ConfigInvalid for a policy that Snowflake cannot hold */
export function mapType(type: SourceType, policies: Policies): Mapping {
  const { name, full } = type;
  const unsigned = /\bunsigned\b/.test(full);
  const dates = { unrepresentable: policies.date_out_of_range };
  switch (name) {
    case 'tinyint':
      if (policies.tinyint1 === 'boolean' && /^tinyint\(1\)/.test(full))
        return mapping({ kind: 'boolean' }, 'BOOLEAN', { kind: 'boolean' });
      return integer('w4', unsigned);
    case 'smallint':
    case 'mediumint':
    case 'year':
      return integer('w4', unsigned || name === 'year');
    case 'int':
      return unsigned ? integer('w8', true) : integer('w4');
    case 'bigint':
      return unsigned ? mapping(unsigned64.parquet, unsigned64.raw, { kind: 'integer', unsigned, to: 'w16' }) : integer('w8');
    case 'float':
      return mapping({ kind: 'float' }, 'FLOAT', { kind: 'float' });
    case 'double':
      return mapping({ kind: 'double' }, 'FLOAT', { kind: 'double' });
    case 'decimal':
      return mapDecimal(type, policies);
    case 'bit':
      return mapBits(type.precision ?? 64);
    case 'date':
      return mapping({ kind: 'date' }, 'DATE', { kind: 'date' }, dates);
    case 'datetime':
      return mapping({ kind: 'timestamp', utc: false }, 'TIMESTAMP_NTZ(6)', { kind: 'datetime' }, dates);
    case 'timestamp':
      return mapping(
        { kind: 'timestamp', utc: true },
        'TIMESTAMP_LTZ(6)',
        { kind: 'datetime' },
        { staging: 'TIMESTAMP_TZ(6)', convert: 'utc', ...dates },
      );
    case 'time':
      if (policies.time === 'text') return mapping(text.parquet, text.raw, { kind: 'duration', fraction: fractionOf(full) });
      return mapping({ kind: 'time' }, 'TIME(6)', { kind: 'time' }, dates);
    case 'json':
      return policies.json === 'text' ? text : json;
    case 'binary':
    case 'varbinary':
    case 'tinyblob':
    case 'blob':
    case 'mediumblob':
    case 'longblob':
    case 'vector':
      return bytes;
  }
  if (geometries.has(name)) return mapping(bytes.parquet, bytes.raw, { kind: 'geometry' });
  if (type.checkedAsJson) return policies.json === 'text' ? text : json;
  if (type.charset !== null) return complete.has(type.charset) ? text : convertedText;
  // MariaDB's uuid, inet4, inet6 and what is yet to come: as the server prints it.
  return textBySource;
}

const fractionOf = (full: string): number => Number(/\((\d)\)/.exec(full)?.[1] ?? 0);

function mapBits(length: number): Mapping {
  if (length === 1) return mapping({ kind: 'boolean' }, 'BOOLEAN', { kind: 'bits', to: 'bits' });
  if (length < 64) return mapping({ kind: 'int64' }, 'NUMBER(38,0)', { kind: 'bits', to: 'w8' });
  return mapping(unsigned64.parquet, unsigned64.raw, { kind: 'bits', to: 'w16' });
}

function decimal(precision: number, scale: number, exact: boolean): Mapping {
  return mapping({ kind: 'decimal', precision, scale }, `NUMBER(${precision},${scale})`, { kind: 'decimal', precision, scale, exact });
}

/** MySQL allows decimal(65,30), MariaDB decimal(65,38). */
function mapDecimal({ precision, scale }: SourceType, policies: Policies): Mapping {
  if (precision !== null && scale !== null && precision <= 38 && scale <= 37) return decimal(precision, scale, true);
  const policy = policies.unbounded_numeric;
  if (policy === 'text') return textBySource;
  if (policy === 'float') return mapping({ kind: 'double' }, 'FLOAT', { kind: 'decimalDouble' });
  const [p, s] = policy.match(/\d+/g)!.map(Number) as [number, number];
  if (p < 1 || p > 38 || s > 37 || s > p) {
    throw new FirnError(
      'ConfigInvalid',
      `policies.unbounded_numeric: ${policy} is not a NUMBER of Snowflake (precision 1 to 38, scale 0 to 37).`,
    );
  }
  return decimal(p, s, false);
}

/** The policies that a planned column was made by, as far as they concern it: what the extractor has in hand is the plan. */
export function policiesOf({ parquet, unrepresentable = 'error' }: Column): Policies {
  const unbounded =
    parquet.kind === 'decimal' ? `number(${parquet.precision},${parquet.scale})` : parquet.kind === 'double' ? 'float' : 'text';
  return {
    unbounded_numeric: unbounded,
    date_out_of_range: unrepresentable,
    json: parquet.kind === 'string' ? 'text' : 'error',
    time: parquet.kind === 'string' ? 'text' : 'time',
    tinyint1: parquet.kind === 'boolean' ? 'boolean' : 'number',
  };
}
