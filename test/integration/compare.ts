import pg from 'pg';
import { qualifiedName, quoteIdentifier } from '../../core/warehouse/identifiers.js';
import type { Warehouse } from '../../core/warehouse/snowflake.js';

const separator = '\u0001';
const nothing = '\u0002';

interface SourceColumn {
  name: string;
  target: string;
  type: string;
}

export interface Comparison {
  source: pg.Client;
  warehouse: Warehouse;
  /** At the source. */
  schema?: string;
  table: string;
  /** Source names. Default: the primary key. */
  key?: string[];
  staging: { schema: string; table: string };
  where?: string;
  /** Lines told. Default: 20. */
  most?: number;
}

/**
 * A full outer compare of a source table and its staging table, column by column, over exact texts of the values.
 * @returns one line per difference, at most `most`; empty when they are equal
 */
export async function differences(comparison: Comparison): Promise<string[]> {
  const { source, warehouse, schema = 'public', table, staging, where, most = 20 } = comparison;
  const columns = await sourceColumns(source, schema, table);
  const key = comparison.key ?? (await primaryKey(source, schema, table));
  const relation = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  const { rows } = await source.query<string[]>({
    text: `SELECT ${columns.map(sourceText).join(', ')} FROM ${relation}${where ? ` WHERE ${where}` : ''}`,
    rowMode: 'array',
  });
  const keyIndexes = key.map((name) => columns.findIndex((column) => column.name === name));
  const keyOf = (cells: (string | null)[]): string => JSON.stringify(keyIndexes.map((index) => cells[index]));
  const expected = new Map(
    rows.map((row) => {
      const cells = row.map((text, index) => (text === null ? null : canonicalText(text, columns[index]!.type)));
      return [keyOf(cells), cells];
    }),
  );

  const found: string[] = [];
  // One text per row: the driver takes ten times as long for the cells one by one.
  const row = columns.map((column) => `COALESCE(${stagedText(column)}, '${nothing}')`).join(` || '${separator}' || `);
  const staged = await warehouse.query(
    `SELECT ${row} AS ROW_TEXT FROM ${qualifiedName(staging.schema, staging.table)} WHERE NOT "_FIRN_DELETED"`,
  );
  for (const { ROW_TEXT } of staged) {
    const texts = String(ROW_TEXT).split(separator);
    const cells = columns.map(({ type }, index) => (texts[index] === nothing ? null : canonicalText(texts[index]!, type)));
    const id = keyOf(cells);
    const wanted = expected.get(id);
    expected.delete(id);
    if (!wanted) found.push(`${table} ${id}: only in staging, or twice`);
    else
      for (const [index, column] of columns.entries()) {
        if (wanted[index] !== cells[index]) found.push(`${table} ${id} ${column.name}: source ${wanted[index]}, staging ${cells[index]}`);
      }
    if (found.length >= most) return found;
  }
  for (const id of expected.keys()) found.push(`${table} ${id}: only at the source`);
  return found.slice(0, most);
}

async function sourceColumns(source: pg.Client, schema: string, table: string): Promise<SourceColumn[]> {
  const { rows } = await source.query<{ name: string; type: string }>(
    `SELECT a.attname AS name, coalesce(nullif(t.typcategory::text, 'A'), 'json') || ':' || format_type(a.atttypid, NULL) AS type
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
     WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [schema, table],
  );
  return rows.map(({ name, type }) => ({ name, target: name.toUpperCase(), type: type.startsWith('json:') ? 'json' : type.slice(2) }));
}

async function primaryKey(source: pg.Client, schema: string, table: string): Promise<string[]> {
  const { rows } = await source.query<{ name: string }>(
    `SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
     WHERE i.indisprimary AND i.indrelid = format('%I.%I', $1::text, $2::text)::regclass ORDER BY array_position(i.indkey::int2[], a.attnum)`,
    [schema, table],
  );
  return rows.map(({ name }) => name);
}

/** The value as text that the source itself prints, with microseconds and in UTC. */
function sourceText({ name, type }: SourceColumn): string {
  const column = pg.escapeIdentifier(name);
  if (type === 'timestamp with time zone') return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`;
  if (type === 'timestamp without time zone') return `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS.US')`;
  if (type === 'bytea') return `encode(${column}, 'hex')`;
  if (type === 'json') return `to_json(${column})::text`;
  if (type === 'character') return `format('%s', ${column})`;
  return `${column}::text`;
}

const isNumber = (type: string): boolean => /^(numeric|smallint|integer|bigint|oid)$/.test(type);
const isFloat = (type: string): boolean => /^(real|double precision)$/.test(type);
const isJson = (type: string): boolean => /^jsonb?$/.test(type);

function canonicalText(text: string, type: string): string {
  if (isNumber(type)) return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  if (isFloat(type)) return String(Number(text));
  if (isJson(type)) return sortedJson(JSON.parse(text));
  if (type === 'boolean') return text.startsWith('t') ? 'true' : 'false';
  return text;
}

function stagedText({ target, type }: SourceColumn): string {
  const column = quoteIdentifier(target);
  if (type.startsWith('timestamp')) return `TO_VARCHAR(${column}, 'YYYY-MM-DD HH24:MI:SS.FF6')`;
  if (type === 'bytea') return `LOWER(HEX_ENCODE(${column}))`;
  if (isJson(type)) return `TO_JSON(${column})`;
  return `${column}::VARCHAR`;
}

/** JSON text with sorted keys and numbers as doubles, the form in which a VARIANT and the source can be compared. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, part) =>
    part && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
