/**
 * Names and literals in Snowflake SQL, for statements that cannot bind (DDL). Free of Node APIs: the procedures use it too.
 * Source: Snowflake documentation, "Identifier requirements" and "String & binary data types".
 */

/** `"name"`, exactly as given. @throws when Snowflake could not hold the name. */
export function quoteIdentifier(name: string): string {
  if (name.length === 0 || name.length > 255 || name.includes('\0')) {
    throw new Error(`not a Snowflake identifier: ${JSON.stringify(name.slice(0, 300))}`);
  }
  return `"${name.replace(/"/g, '""')}"`;
}

/** `"SCHEMA"."TABLE"`, relative to the current database. */
export const qualifiedName = (...parts: string[]): string => parts.map(quoteIdentifier).join('.');

/** `'text'`: Snowflake reads a backslash in a literal as an escape, so it is doubled like the quote. */
export const quoteLiteral = (text: string): string => `'${text.replace(/\\/g, '\\\\').replace(/'/g, "''")}'`;

export const rawSchema = (database: string): string => `RAW_${database.toUpperCase()}`;
export const stagingSchema = (database: string): string => `STAGING_${database.toUpperCase()}`;

/** Name of a table in raw and staging: its key in upper case; `sales.orders` becomes `SALES_ORDERS`. */
export const targetTable = (tableKey: string): string => tableKey.toUpperCase().replace(/\./g, '_');

export const pipeName = (rawTable: string): string => `${rawTable}_PIPE`;
export const committedView = (rawTable: string): string => `${rawTable}_COMMITTED`;
