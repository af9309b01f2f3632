import { FirnError } from '../errors.js';
import { quoteIdentifier, quoteLiteral } from '../warehouse/identifiers.js';
import type { FileType } from './schema.js';

/** A column of what is exported, as Snowflake describes it. */
export interface ExportColumn {
  name: string;
  /** fixed, real, text, boolean, date, time, timestamp_ntz, variant, … */
  type: string;
  /** Of `fixed`; digits of a second's fraction for times. */
  precision: number | null;
  scale: number | null;
}

const utc = (column: string): string => `CONVERT_TIMEZONE('UTC', ${column})::TIMESTAMP_NTZ`;
const fraction = (scale: number | null): string => (scale === 0 ? '' : `.FF${scale ?? 9}`);
const day = 'YYYY-MM-DD';
const time = (scale: number | null): string => `HH24:MI:SS${fraction(scale)}`;
const timestamp = (scale: number | null): string => `${day}"T"${time(scale)}`;
const text = (column: string, format: string): string => `TO_VARCHAR(${column}, '${format}')`;

type Rule = (column: string, scale: number | null) => string;
const asItIs: Rule = (column) => column;

/** Types that no file can hold as they are: their text. */
const alwaysText: Record<string, Rule> = {
  decfloat: (column) => `TO_VARCHAR(${column})`,
  geography: (column) => `ST_ASWKT(${column})`,
  geometry: (column) => `ST_ASWKT(${column})`,
  vector: (column) => `TO_JSON(${column}::ARRAY)`,
};

const json: Rule = (column) => `TO_JSON(${column})`;
const semiStructured = { variant: json, object: json, array: json, map: (column: string) => `TO_JSON(TO_VARIANT(${column}))` };

/** Parquet: typed columns. Unloading refuses zoned timestamps: they go as what the clock in UTC shows. */
const parquet: Record<string, Rule> = {
  ...alwaysText,
  ...semiStructured,
  fixed: asItIs,
  real: asItIs,
  text: asItIs,
  boolean: asItIs,
  date: asItIs,
  time: asItIs,
  timestamp_ntz: asItIs,
  binary: asItIs,
  timestamp_tz: utc,
  timestamp_ltz: utc,
};

/** Text formats: ISO 8601, instants in UTC with Z, bytes as hex. Said here, so that no format of the account or session counts. */
const csv: Record<string, Rule> = {
  ...alwaysText,
  ...semiStructured,
  fixed: asItIs,
  real: asItIs,
  text: asItIs,
  boolean: asItIs,
  date: (column) => text(column, day),
  time: (column, scale) => text(column, time(scale)),
  timestamp_ntz: (column, scale) => text(column, timestamp(scale)),
  timestamp_tz: (column, scale) => `${text(utc(column), timestamp(scale))} || 'Z'`,
  timestamp_ltz: (column, scale) => `${text(utc(column), timestamp(scale))} || 'Z'`,
  binary: (column) => `HEX_ENCODE(${column})`,
};

/** JSON has no NaN and no infinity. */
const finite: Rule = (column) =>
  `IFF(${column} IN ('NaN'::FLOAT, 'inf'::FLOAT, '-inf'::FLOAT), TO_VARIANT(${column}::VARCHAR), TO_VARIANT(${column}))`;

/** Values of JSON stay values of JSON. */
const jsonLines: Record<string, Rule> = {
  ...csv,
  variant: asItIs,
  object: asItIs,
  array: asItIs,
  map: (column) => `TO_VARIANT(${column})`,
  real: finite,
};

const rules: Record<FileType, Record<string, Rule>> = { parquet, csv, json: jsonLines };

/**
 * The columns as the file's format takes them, each by the rule of its type: a list for SELECT.
 * @throws FirnError ExportQueryFailed for a type without a rule, and for a name that stands twice
 */
export function exportedColumns(columns: ExportColumn[], fileType: FileType): string {
  const twice = columns.find(({ name }, index) => columns.findIndex((other) => other.name === name) < index);
  if (twice)
    throw new FirnError('ExportQueryFailed', `Column ${twice.name} stands twice in the query: give one of them another name by AS.`);
  const values = columns.map(({ name, type, scale }) => {
    const rule = rules[fileType][type];
    if (!rule)
      throw new FirnError('ExportQueryFailed', `Column ${name} has the type ${type}, which cannot be exported: cast it in \`query\`.`);
    return { name, value: rule(quoteIdentifier(name), scale) };
  });
  if (fileType !== 'json') {
    return values
      .map(({ name, value }) => (value === quoteIdentifier(name) ? value : `${value} AS ${quoteIdentifier(name)}`))
      .join(',\n  ');
  }
  const pairs = values.map(({ name, value }) => `${quoteLiteral(name)}, ${value}`);
  // Without KEEP_NULL an object has no key where a row has NULL.
  return `OBJECT_CONSTRUCT_KEEP_NULL(\n  ${pairs.join(',\n  ')}\n) AS "object"`;
}
