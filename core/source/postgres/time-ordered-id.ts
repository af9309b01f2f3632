import type { ClientBase } from 'pg';
import { FirnError } from '../../errors.js';
import type { Relation } from '../source.js';
import { query } from './connection.js';
import { quoteIdentifier, quoteLiteral, quoteRelation } from './query.js';

/**
 * Identifiers whose first 48 bits are milliseconds since 1970, so that they sort by time: UUID version 7 (RFC 9562, section 5.7), as a uuid
 * or as text, and ULID (github.com/ulid/spec). They carry a time cursor as a timestamp does; whoever makes them gives them his clock.
 */
export type TimeOrderedId = 'uuid' | 'uuid text' | 'ulid';

export const isTimeOrderedId = (type: string): type is TimeOrderedId => type in wellFormed;

/** Crockford's base 32: ten characters of time, sixteen of chance. */
const base32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The least identifier that can be made at `milliseconds` since 1970 or later. */
export function leastId(type: TimeOrderedId, milliseconds: number): string {
  const time = BigInt(Math.max(0, Math.floor(milliseconds)));
  if (type === 'ulid') {
    const digits = Array.from({ length: 10 }, (_, i) => base32[Number((time >> BigInt(45 - 5 * i)) & 31n)]);
    return `${digits.join('')}${'0'.repeat(16)}`;
  }
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

const wellFormed: Record<TimeOrderedId, (column: string) => string> = {
  uuid: (column) => `get_byte(uuid_send(${column}), 6) >> 4 = 7 AND get_byte(uuid_send(${column}), 8) >> 6 = 2`,
  'uuid text': (column) => `${column}::text COLLATE "C" ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'`,
  ulid: (column) => `${column}::text COLLATE "C" ~ '^[0-7][0-9A-HJKMNP-TV-Z]{25}$'`,
};

/** How a text column writes its identifiers, told from one row; an empty table says nothing yet. */
export async function readTextForm(client: ClientBase, relation: Relation, column: string): Promise<TimeOrderedId> {
  const name = quoteIdentifier(column);
  const rows = await query<{ length: number }>(
    client,
    `SELECT length(${name}::text) AS length FROM ${quoteRelation(relation)} WHERE ${name} IS NOT NULL LIMIT 1`,
  );
  return rows[0]?.length === 36 ? 'uuid text' : 'ulid';
}

const called: Record<TimeOrderedId, string> = {
  uuid: 'a UUID of version 7',
  'uuid text': 'a UUID of version 7 in lower case',
  ulid: 'a ULID in upper case',
};

/**
 * Among the rows that the run will read (`from` null: all) every value must have the form: one that does not sort by time would be missed
 * as soon as it lies below the bound.
 * @throws FirnError CursorColumnUnsuitable with the value
 */
export async function refuseOtherForms(
  client: ClientBase,
  relation: Relation,
  column: string,
  type: TimeOrderedId,
  from: string | null,
): Promise<void> {
  const name = quoteIdentifier(column);
  const bytes = type === 'uuid' ? name : `${name}::text COLLATE "C"`;
  const range = from === null ? '' : ` AND ${bytes} >= ${quoteLiteral(from)}`;
  const [other] = await query<{ value: string }>(
    client,
    `SELECT ${name}::text AS value FROM ${quoteRelation(relation)} WHERE NOT (${wellFormed[type](name)})${range} LIMIT 1`,
  );
  if (other === undefined) return;
  throw new FirnError(
    'CursorColumnUnsuitable',
    `Cursor column ${relation.schema}.${relation.table}.${column} holds "${other.value.slice(0, 64)}", which is not ${called[type]} and does not sort by time.`,
  );
}
