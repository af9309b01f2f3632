import type { ClientBase } from 'pg';
import { FirnError } from '../../errors.js';
import type { Watermark } from '../../plan/plan.js';
import type { CursorColumn, Relation } from '../source.js';
import { query } from './connection.js';
import { quoteIdentifier, quoteRelation } from './query.js';
import { isTimeOrderedId, leastId, readTextForm, refuseOtherForms } from './time-ordered-id.js';
import { readXminCursor, xminColumn } from './xmin.js';

const kinds: Record<string, Watermark['kind']> = {
  timestamptz: 'time',
  timestamp: 'time',
  date: 'time',
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  uuid: 'time',
  text: 'time',
  varchar: 'time',
  bpchar: 'time',
};

/** Defaults that give a uuid the time of the server: PostgreSQL 18, and the extension pg_uuidv7. */
const serverMade = ['uuidv7()', 'uuid_generate_v7()'];

/**
 * Looks the cursor column up at the source.
 * @throws FirnError CursorColumnMissing; CursorColumnUnsuitable for another type, or for an integer whose sequence hands out values out of order.
 */
export async function readCursorColumn(client: ClientBase, relation: Relation, column: string): Promise<CursorColumn> {
  if (column === xminColumn) return readXminCursor(client, relation);
  const name = `${relation.schema}.${relation.table}.${column}`;
  const found = await readBaseType(client, relation, column);
  if (!found) throw new FirnError('CursorColumnMissing', `Cursor column ${name} does not exist.`);
  const kind = kinds[found.type];
  if (!kind) throw new FirnError('CursorColumnUnsuitable', `Cursor column ${name} is of type ${found.shown}, which cannot carry a cursor.`);
  if (kind === 'integer') await refuseUnorderedSequence(client, relation, column, name);
  const { nullable } = found;
  if (found.type === 'uuid') {
    return { name: column, kind, type: 'uuid', nullable, foreignClock: !serverMade.includes(found.default?.replace(/^.*\./, '') ?? '') };
  }
  if (['text', 'varchar', 'bpchar'].includes(found.type)) {
    return { name: column, kind, type: await readTextForm(client, relation, column), nullable, comparison: 'bytes', foreignClock: true };
  }
  return { name: column, kind, type: found.type as CursorColumn['type'], nullable };
}

/** Type of a column with domains resolved, as the source prints it, and its default; null when there is no such column. */
export async function readBaseType(
  client: ClientBase,
  relation: Relation,
  column: string,
): Promise<{ type: string; shown: string; nullable: boolean; default: string | null } | null> {
  const rows = await query<{ type: string; shown: string; nullable: boolean; default: string | null }>(
    client,
    `WITH RECURSIVE base AS (
       SELECT t.oid, t.typtype, t.typbasetype, t.typname, format_type(a.atttypid, a.atttypmod) AS shown, NOT a.attnotnull AS nullable,
         pg_get_expr(def.adbin, def.adrelid) AS made
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
       LEFT JOIN pg_attrdef def ON def.adrelid = a.attrelid AND def.adnum = a.attnum
       WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
       UNION ALL
       SELECT t.oid, t.typtype, t.typbasetype, t.typname, base.shown, base.nullable, base.made
       FROM base JOIN pg_type t ON t.oid = base.typbasetype WHERE base.typtype = 'd')
     SELECT typname AS type, shown, nullable, made AS default FROM base WHERE typtype <> 'd'`,
    [relation.schema, relation.table, column],
  );
  return rows[0] ?? null;
}

/** A cached sequence hands each session a block: a lower value may appear after a higher one, without any open transaction. */
async function refuseUnorderedSequence(client: ClientBase, relation: Relation, column: string, name: string) {
  const rows = await query<{ sequence: string; cache: string; rising: boolean; cycle: boolean }>(
    client,
    `SELECT s.seqrelid::regclass::text AS sequence, s.seqcache::text AS cache, s.seqincrement > 0 AS rising, s.seqcycle AS cycle
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
     LEFT JOIN pg_attrdef def ON def.adrelid = c.oid AND def.adnum = a.attnum
     JOIN pg_depend d ON (d.classid = 'pg_attrdef'::regclass AND d.objid = def.oid AND d.refclassid = 'pg_class'::regclass)
       OR (d.classid = 'pg_class'::regclass AND d.deptype = 'i' AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum)
     JOIN pg_sequence s ON s.seqrelid IN (d.objid, d.refobjid)
     WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3`,
    [relation.schema, relation.table, column],
  );
  for (const { sequence, cache, rising, cycle } of rows) {
    if (cache === '1' && rising && !cycle) continue;
    const why = cache !== '1' ? `caches ${cache} values per session` : rising ? 'cycles' : 'counts down';
    throw new FirnError(
      'CursorColumnUnsuitable',
      `Cursor column ${name} takes its values from sequence ${sequence}, which ${why}, so a lower value can be committed after a higher one.`,
    );
  }
}

/**
 * The text of the inclusive lower bound for `cursor >= bound`, in the column's own type, `lookback` seconds below `safe`.
 *
 * `timestamp` and `date` hold the local time of whoever wrote them. With a declared zone the bound is the lowest local time that can still
 * come (clocks that are set back repeat an hour); without one it is the local time of the zone that is most behind, UTC−12.
 */
export async function timeBound(
  client: ClientBase,
  type: CursorColumn['type'],
  safe: string,
  lookbackSeconds: number,
  zone: string | null,
): Promise<string> {
  if (isTimeOrderedId(type)) {
    // Milliseconds, cut off: an identifier has no more.
    return leastId(type, Date.parse(`${safe.slice(0, 23)}Z`) - lookbackSeconds * 1000);
  }
  const local =
    zone === null
      ? `(at.bound AT TIME ZONE 'UTC') - interval '12 hours'`
      : `least(at.bound AT TIME ZONE $3::text, ((at.bound + interval '3 hours') AT TIME ZONE $3::text) - interval '3 hours')`;
  const texts: Partial<Record<CursorColumn['type'], string>> = {
    timestamptz: `to_char(at.bound AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
    timestamp: `to_char(${local}, 'YYYY-MM-DD"T"HH24:MI:SS.US')`,
    date: `to_char(${local}, 'YYYY-MM-DD')`,
  };
  const parameters = type !== 'timestamptz' && zone !== null ? [safe, lookbackSeconds, zone] : [safe, lookbackSeconds];
  const rows = await query<{ bound: string }>(
    client,
    `SELECT ${texts[type]} AS bound FROM (SELECT $1::timestamptz - make_interval(secs => $2) AS bound) AS at`,
    parameters,
  );
  return rows[0]!.bound;
}

/** @throws FirnError CursorColumnUnsuitable when a value from `from` on (null: any) does not sort by time, though its type may */
export async function checkCursorValues(client: ClientBase, relation: Relation, { name, type }: CursorColumn, from: string | null) {
  if (isTimeOrderedId(type)) await refuseOtherForms(client, relation, name, type, from);
}

/** How many rows have no cursor: `cursor >= bound` never reads them. */
export async function countNullCursors(client: ClientBase, relation: Relation, column: string, rowFilter: string | null): Promise<number> {
  const rows = await query<{ count: string }>(
    client,
    `SELECT count(*)::text AS count FROM ${quoteRelation(relation)}
     WHERE ${quoteIdentifier(column)} IS NULL${rowFilter === null ? '' : ` AND (${rowFilter}\n)`}`,
  );
  return Number(rows[0]!.count);
}
