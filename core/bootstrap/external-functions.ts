import { createHash } from 'node:crypto';
import type { SqlBundle } from '../../sql/bundle.js';
import { renderSql } from '../../sql/statements.js';
import type { Warehouse } from '../warehouse/snowflake.js';

/**
 * Creates the external functions that are missing or changed. One that is as it should be stays: to replace it would take away every grant
 * on it, since CREATE EXTERNAL FUNCTION has no COPY GRANTS. Its comment tells what it was created by.
 *
 * @returns the names of those created
 */
export async function deployFunctions(
  warehouse: Warehouse,
  functions: SqlBundle['functions'],
  values: Record<string, string>,
): Promise<string[]> {
  const rows = await warehouse.query('SHOW EXTERNAL FUNCTIONS IN SCHEMA FIRN');
  const held = new Set(rows.map(({ description }) => String(description)));
  const created: string[] = [];
  for (const { name, sql } of functions) {
    const rendered = renderSql(sql, values);
    const comment = `Firn ${createHash('sha256').update(rendered).digest('hex')}`;
    if (held.has(comment)) continue;
    await warehouse.query(rendered.replace('\nAPI_INTEGRATION', `\nCOMMENT = '${comment}'\nAPI_INTEGRATION`));
    created.push(name);
  }
  return created;
}
