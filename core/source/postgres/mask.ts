import type { Column } from '../../column.js';
import { quoteIdentifier, quoteLiteral, selectExpression } from './query.js';
import type { Selection } from './types.js';

/**
 * The expression that sends a column as its decoder expects it, masked where that is configured: the value itself does not leave the source.
 * `salt` comes from the source's secret and stands before the text that is hashed.
 */
export function readExpression({ name, mask }: Pick<Column, 'name' | 'mask'>, selection: Selection, salt = ''): string {
  if (mask === 'sha256') {
    const text = `${salt === '' ? '' : `${quoteLiteral(salt)} || `}${quoteIdentifier(name)}::pg_catalog.text`;
    return `pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(${text}, 'UTF8')), 'hex')`;
  }
  const value = selectExpression(name, selection);
  // Of the type that the decoder knows.
  return mask === 'null' ? `CASE WHEN FALSE THEN ${value} END` : value;
}
