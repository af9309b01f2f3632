import type { Column } from '../column.js';
import type { Plan } from '../plan/plan.js';
import { systemColumns } from '../system-columns.js';
import { qualifiedName, quoteIdentifier, quoteLiteral } from './identifiers.js';

/**
 * The statements that bring the raw rows of a run into staging. Pure text, free of Node APIs: the procedures and the tests share it.
 *
 * A work table holds the run's rows once per key, converted and hashed. `_FIRN_ORDER` decides between two rows of a key, never arrival:
 * a lesser order does not overwrite a greater one, so replays change nothing. Rows whose hash is equal are not rewritten.
 */
export type MergePlan = Pick<Plan, 'columns' | 'primaryKey' | 'cursor' | 'order' | 'deletes' | 'target'>;

/** Columns of staging that Firn adds behind the source's. */
export const stagingColumns = {
  order: '_FIRN_ORDER',
  run: '_FIRN_RUN',
  hash: '_FIRN_HASH',
  deleted: '_FIRN_DELETED',
  loadedAt: '_FIRN_LOADED_AT',
} as const;

const order = quoteIdentifier(stagingColumns.order);
const run = quoteIdentifier(stagingColumns.run);
const hash = quoteIdentifier(stagingColumns.hash);
const deleted = quoteIdentifier(stagingColumns.deleted);
const loadedAt = quoteIdentifier(stagingColumns.loadedAt);
const file = quoteIdentifier(systemColumns.file);
/** How many raw rows of the run share the key: their sum is the number of rows loaded. */
const copies = '"_FIRN_COPIES"';

export const stagingTable = (plan: MergePlan): string => qualifiedName(plan.target.stagingSchema, plan.target.stagingTable);
const rawTable = (plan: MergePlan): string => qualifiedName(plan.target.rawSchema, plan.target.rawTable);
const names = (plan: MergePlan): string[] => plan.columns.map((column) => quoteIdentifier(column.target));
const keyColumns = (plan: MergePlan): Column[] =>
  plan.primaryKey.map((key) => {
    const column = plan.columns.find(({ target }) => target === key);
    if (!column) throw new Error(`primary key column ${key} is not among the columns`);
    return column;
  });

function converted({ target, convert }: Column): string {
  const value = `d.${quoteIdentifier(target)}`;
  if (convert === 'parse_json') return `PARSE_JSON(${value})`;
  // The offset is stated, so that the result does not depend on the session's zone.
  if (convert === 'utc') return `CONVERT_TIMEZONE('UTC', ${value})`;
  return value;
}

/** Rows of the runs' files: raw may hold others, which a failed attempt left behind. The run is named too because it prunes. */
function committedRows(plan: MergePlan, runIds: string[]): string {
  return `FROM ${rawTable(plan)} AS r
WHERE r.${run} IN (${runIds.map(quoteLiteral).join(', ')})
  AND EXISTS (SELECT 1 FROM FIRN.RUN_FILES AS f WHERE f.run_id = r.${run} AND f.file = r.${file})`;
}

/** One row per key, converted and hashed. */
export function createWorkTable(plan: MergePlan, work: string, runIds: string[]): string {
  const keys = keyColumns(plan).map(({ target }) => `r.${quoteIdentifier(target)}`);
  const cursor = plan.columns.find(({ name }) => name === plan.cursor?.column);
  const tieBreak = [
    `r.${order} DESC`,
    ...(cursor ? [`r.${quoteIdentifier(cursor.target)} DESC NULLS LAST`] : []),
    `r.${file} DESC`,
    `HASH(${names(plan)
      .map((name) => `r.${name}`)
      .join(', ')}) DESC`,
  ];
  const partition = `PARTITION BY ${keys.join(', ')}`;
  const deduplicated =
    keys.length === 0
      ? `SELECT r.*, 1 AS ${copies}\n${committedRows(plan, runIds)}`
      : `SELECT r.*, COUNT(*) OVER (${partition}) AS ${copies}
${committedRows(plan, runIds)}
QUALIFY ROW_NUMBER() OVER (${partition} ORDER BY ${tieBreak.join(', ')}) = 1`;
  // By name, so that the hash does not depend on the order in which the source lists its columns. The names count too:
  // a column that was renamed, or came instead of another, is a new column of staging, and the same values are to be written into it.
  const hashed = names(plan).sort();
  const hashedNames = quoteLiteral(hashed.join(','));
  return `CREATE TRANSIENT TABLE ${work} AS
SELECT c.*, HASH(${[hashedNames, ...hashed.map((name) => `c.${name}`)].join(', ')}) AS ${hash}
FROM (
SELECT ${plan.columns.map((column) => `${converted(column)} AS ${quoteIdentifier(column.target)}`).join(', ')},
  d.${order} AS ${order}, d.${run} AS ${run}, d.${copies} AS ${copies}
FROM (
${deduplicated}
) AS d
) AS c`;
}

/** The first row whose text PARSE_JSON refuses: COLUMN_NAME and ROW_KEY. Null when no column is parsed. */
export function findUnparsableJson(plan: MergePlan, runIds: string[]): string | null {
  const key = plan.primaryKey.length === 0 ? "'(no key)'" : plan.primaryKey.map((name) => `TO_VARCHAR(r.${quoteIdentifier(name)})`);
  const keyText = typeof key === 'string' ? key : `CONCAT_WS(', ', ${key.map((part) => `COALESCE(${part}, 'NULL')`).join(', ')})`;
  const searches = plan.columns
    .filter(({ convert }) => convert === 'parse_json')
    .map(({ target }) => {
      const value = `r.${quoteIdentifier(target)}`;
      return `SELECT ${quoteLiteral(target)} AS COLUMN_NAME, ${keyText} AS ROW_KEY
${committedRows(plan, runIds)} AND ${value} <> '' AND TRY_PARSE_JSON(${value}) IS NULL`;
    });
  return searches.length === 0 ? null : `${searches.join('\nUNION ALL\n')}\nLIMIT 1`;
}

/** ROWS_KEPT (one per key), ROWS_LOADED (all), and KEY_MIN, KEY_MAX as text where the target can be pruned by them. */
export function summariseWorkTable(plan: MergePlan, work: string): string {
  const key = prunableKey(plan);
  const range = key ? `TO_VARCHAR(MIN(${key})) AS KEY_MIN, TO_VARCHAR(MAX(${key})) AS KEY_MAX` : 'NULL AS KEY_MIN, NULL AS KEY_MAX';
  return `SELECT COUNT(*) AS ROWS_KEPT, COALESCE(SUM(${copies}), 0) AS ROWS_LOADED, ${range} FROM ${work}`;
}

/**
 * A key of one whole number: its range is a constant that lets Snowflake skip the target's micro-partitions.
 * A NULL is in no range: the row of a key that may be NULL would not be found again.
 */
function prunableKey(plan: MergePlan): string | null {
  const [column, ...more] = keyColumns(plan);
  return column && !column.nullable && more.length === 0 && /^NUMBER(\(\d+,\s*0\))?$/.test(column.staging)
    ? quoteIdentifier(column.target)
    : null;
}

export interface KeyRange {
  min: string;
  max: string;
}

const wholeNumber = /^-?\d+$/;

/** Keys declared in the configuration may be nullable; a primary key's columns never are, and `=` joins faster. */
function sameKey(plan: MergePlan, left: string, right: string): string {
  return keyColumns(plan)
    .map(({ target, nullable }) => {
      const name = quoteIdentifier(target);
      return nullable ? `${left}.${name} IS NOT DISTINCT FROM ${right}.${name}` : `${left}.${name} = ${right}.${name}`;
    })
    .join(' AND ');
}

function sameKeyInRange(plan: MergePlan, range: KeyRange | null): string {
  const key = prunableKey(plan);
  const bounded = key && range && wholeNumber.test(range.min) && wholeNumber.test(range.max);
  return sameKey(plan, 't', 's') + (bounded ? ` AND t.${key} BETWEEN ${range.min} AND ${range.max}` : '');
}

/** Answers the numbers of rows inserted and updated. */
export function mergeWorkTable(plan: MergePlan, work: string, range: KeyRange | null): string {
  const columns = [...names(plan), order, run, hash];
  return `MERGE INTO ${stagingTable(plan)} AS t
USING ${work} AS s
ON ${sameKeyInRange(plan, range)}
WHEN MATCHED AND t.${order} <= s.${order} AND (t.${hash} <> s.${hash} OR t.${deleted}) THEN UPDATE SET
${columns.map((name) => `  ${name} = s.${name}`).join(',\n')},
  ${deleted} = FALSE,
  ${loadedAt} = SYSDATE()
WHEN NOT MATCHED THEN INSERT (${columns.join(', ')}, ${deleted}, ${loadedAt})
VALUES (${columns.map((name) => `s.${name}`).join(', ')}, FALSE, SYSDATE())`;
}

/**
 * After the MERGE, how the rows of the work table stand in staging: ROWS_NEWER (staging holds a greater order),
 * ROWS_SAME (staging holds the row). Together they are all rows, or something is wrong.
 */
export function compareWorkTable(plan: MergePlan, work: string, range: KeyRange | null): string {
  return `SELECT COALESCE(SUM(IFF(t.${order} > s.${order}, 1, 0)), 0) AS ROWS_NEWER,
  COALESCE(SUM(IFF(t.${order} <= s.${order} AND t.${hash} = s.${hash} AND NOT t.${deleted}, 1, 0)), 0) AS ROWS_SAME
FROM ${stagingTable(plan)} AS t
INNER JOIN ${work} AS s ON ${sameKeyInRange(plan, range)}`;
}

/** Keys of staging that the run has not read. A row that a newer run wrote is not this run's to delete. */
const goneRows = (plan: MergePlan, work: string): string => `FROM ${stagingTable(plan)} AS t
LEFT JOIN ${work} AS s ON ${sameKey(plan, 't', 's')}
WHERE NOT t.${deleted}`;

const isGone = (plan: MergePlan): string => `s.${run} IS NULL AND t.${order} < ${quoteLiteral(plan.order)}`;

/** ROWS_BEFORE: living rows of staging; ROWS_GONE: those that the full load no longer has. */
export function countGoneRows(plan: MergePlan, work: string): string {
  return `SELECT COUNT(*) AS ROWS_BEFORE, COALESCE(SUM(IFF(${isGone(plan)}, 1, 0)), 0) AS ROWS_GONE
${goneRows(plan, work)}`;
}

/** Answers the number of rows deleted or marked. */
export function deleteGoneRows(plan: MergePlan, work: string, runId: string): string {
  const mark = `UPDATE SET ${deleted} = TRUE, ${order} = ${quoteLiteral(plan.order)}, ${run} = ${quoteLiteral(runId)}, ${loadedAt} = SYSDATE()`;
  return `MERGE INTO ${stagingTable(plan)} AS t
USING (
SELECT ${keyColumns(plan)
    .map(({ target }) => `t.${quoteIdentifier(target)}`)
    .join(', ')}
${goneRows(plan, work)} AND ${isGone(plan)}
) AS s
ON ${sameKey(plan, 't', 's')}
WHEN MATCHED THEN ${plan.deletes.how === 'soft' ? mark : 'DELETE'}`;
}

export const countStaging = (plan: MergePlan): string => `SELECT COUNT(*) AS ROWS_BEFORE FROM ${stagingTable(plan)}`;

/** A table without a key, or with another one than before, has no row to compare with: a full load replaces all of them, in the transaction. */
export function replaceRows(plan: MergePlan, work: string): string[] {
  const columns = [...names(plan), order, run, hash].join(', ');
  return [
    `DELETE FROM ${stagingTable(plan)}`,
    `INSERT INTO ${stagingTable(plan)} (${columns}, ${deleted}, ${loadedAt}) SELECT ${columns}, FALSE, SYSDATE() FROM ${work}`,
  ];
}
