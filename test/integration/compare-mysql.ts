import type { Connection, RowDataPacket } from 'mysql2/promise';
import { quoteIdentifier as quoteSource } from '../../core/source/mysql/query.js';
import { qualifiedName, quoteIdentifier } from '../../core/warehouse/identifiers.js';
import type { Warehouse } from '../../core/warehouse/snowflake.js';

const separator = '\u0001';
const nothing = '\u0002';

interface SourceColumn {
  name: string;
  /** DATA_TYPE, `bit1` and `json` apart. */
  type: string;
}

/**
 * A full outer compare of a table of `shop` and its staging table, column by column, over exact texts of the values.
 * @returns one line per difference, at most 20; empty when they are equal
 */
export async function mysqlDifferences(source: Connection, warehouse: Warehouse, table: string, key: string[]): Promise<string[]> {
  const [described] = await source.query<(SourceColumn & RowDataPacket)[]>(
    `SELECT COLUMN_NAME AS name, IF(COLUMN_TYPE = 'bit(1)', 'bit1', IF(COLUMN_NAME = 'details', 'json', DATA_TYPE)) AS type
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
    [table],
  );
  const columns = described.map(({ name, type }) => ({ name, type }));
  const [rows] = await source.query<RowDataPacket[][]>({
    sql: `SELECT ${columns.map(sourceText).join(', ')} FROM ${quoteSource(table)}`,
    rowsAsArray: true,
  });
  const keyIndexes = key.map((name) => columns.findIndex((column) => column.name === name));
  const keyOf = (cells: (string | null)[]): string => JSON.stringify(keyIndexes.map((index) => cells[index]));
  const expected = new Map(
    rows.map((row) => {
      const cells = row.map((text, index) => canonical(text as unknown as string | null, columns[index]!.type));
      return [keyOf(cells), cells];
    }),
  );
  const found: string[] = [];
  const row = columns.map((column) => `COALESCE(${stagedText(column)}, '${nothing}')`).join(` || '${separator}' || `);
  const staged = await warehouse.query(
    `SELECT ${row} AS ROW_TEXT FROM ${qualifiedName('STAGING_SHOP', table.toUpperCase())} WHERE NOT "_FIRN_DELETED"`,
  );
  for (const { ROW_TEXT } of staged) {
    const texts = String(ROW_TEXT).split(separator);
    const cells = columns.map(({ type }, index) => canonical(texts[index] === nothing ? null : texts[index]!, type));
    const id = keyOf(cells);
    const wanted = expected.get(id);
    expected.delete(id);
    if (!wanted) found.push(`${table} ${id}: only in staging, or twice`);
    else
      for (const [index, { name }] of columns.entries())
        if (wanted[index] !== cells[index]) found.push(`${table} ${id} ${name}: source ${wanted[index]}, staging ${cells[index]}`);
  }
  for (const id of expected.keys()) found.push(`${table} ${id}: only at the source`);
  return found.slice(0, 20);
}

/** The value as text that the source itself prints, with microseconds and in UTC. */
function sourceText({ name, type }: SourceColumn): string {
  const column = quoteSource(name);
  if (type === 'timestamp' || type === 'datetime') return `DATE_FORMAT(${column}, '%Y-%m-%d %H:%i:%s.%f')`;
  if (type === 'bit1' || type === 'tinyint') return `IF(${column} IS NULL, NULL, IF(${column}, 'true', 'false'))`;
  if (type === 'varbinary') return `LOWER(HEX(${column}))`;
  if (type === 'float') return `CAST(${column} + 0e0 AS CHAR)`;
  return `CAST(${column} AS CHAR)`;
}

function stagedText({ name, type }: SourceColumn): string {
  const column = quoteIdentifier(name.toUpperCase());
  if (type === 'timestamp' || type === 'datetime') return `TO_VARCHAR(${column}, 'YYYY-MM-DD HH24:MI:SS.FF6')`;
  if (type === 'varbinary') return `LOWER(HEX_ENCODE(${column}))`;
  if (type === 'json') return `TO_JSON(${column})`;
  return `${column}::VARCHAR`;
}

function canonical(text: string | null, type: string): string | null {
  if (text === null) return null;
  if (type === 'decimal') return text.replace(/\.?0+$/, '');
  if (type === 'float') return String(Number(text));
  if (type === 'json') return JSON.stringify(Object.entries(JSON.parse(text) as object).sort(([a], [b]) => (a < b ? -1 : 1)));
  return text;
}
