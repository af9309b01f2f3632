import type { Column } from '../column.js';
import { operations, systemColumns } from '../system-columns.js';
import { qualifiedName, quoteIdentifier, quoteLiteral } from './identifiers.js';
import { columnNames, keyColumns, keyText, type MergePlan, stagingColumns } from './merge-plan.js';

/**
 * The statements that gather the raw rows of runs in a table of their own: once per key, or each row once where there is no key, converted
 * and hashed. Pure text, free of Node APIs: the procedures and the tests share it.
 */

const order = quoteIdentifier(stagingColumns.order);
const run = quoteIdentifier(stagingColumns.run);
const hash = quoteIdentifier(stagingColumns.hash);
const file = quoteIdentifier(systemColumns.file);
const fileRow = quoteIdentifier(systemColumns.row);
const op = quoteIdentifier(systemColumns.op);

const rawTable = (plan: MergePlan): string => qualifiedName(plan.target.rawSchema, plan.target.rawTable);

function converted({ target, convert }: Column): string {
  const value = `d.${quoteIdentifier(target)}`;
  if (convert === 'parse_json') return `PARSE_JSON(${value})`;
  // The offset is stated, so that the result does not depend on the session's zone.
  if (convert === 'utc') return `CONVERT_TIMEZONE('UTC', ${value})`;
  return value;
}

/** Rows of the runs' files: raw may hold others, which a failed attempt left behind. The run is named too because it prunes. */
export function committedRows(plan: MergePlan, runIds: string[], which: keyof typeof operations = 'row'): string {
  return `FROM ${rawTable(plan)} AS r
WHERE r.${run} IN (${runIds.map(quoteLiteral).join(', ')})
  AND EXISTS (SELECT 1 FROM FIRN.RUN_FILES AS f WHERE f.run_id = r.${run} AND f.file = r.${file})
  AND r.${op} IS ${which === 'key' ? 'NOT ' : ''}DISTINCT FROM ${quoteLiteral(operations.key)}`;
}

/**
 * ROWS_LOADED: rows of the runs' files, without those of keys alone, as they were written. WRONG: a file whose rows are not all in raw, or
 * are there in excess; NULL when there is none. A row that was loaded twice counts once; rows loaded before raw had row numbers count each.
 */
export function checkLoadedFiles(plan: MergePlan, runIds: string[]): string {
  const runs = runIds.map(quoteLiteral).join(', ');
  return `SELECT COALESCE(SUM(IFF(c.is_key, 0, c.written)), 0) AS ROWS_LOADED,
  MIN(IFF(c.written <> c.loaded, CONCAT(c.file, ' holds ', c.written, ' rows, but raw has ', c.loaded, ' of it'), NULL)) AS WRONG
FROM (
SELECT f.file AS file, f.row_count AS written, COALESCE(l.loaded, 0) AS loaded, COALESCE(l.is_key, FALSE) AS is_key
FROM (SELECT DISTINCT run_id, file, row_count FROM FIRN.RUN_FILES WHERE run_id IN (${runs})) AS f
LEFT JOIN (
SELECT r.${run} AS run_id, r.${file} AS file, COUNT(DISTINCT r.${fileRow}) + COUNT_IF(r.${fileRow} IS NULL) AS loaded,
  MAX(r.${op}) = ${quoteLiteral(operations.key)} AS is_key
FROM ${rawTable(plan)} AS r
WHERE r.${run} IN (${runs})
GROUP BY r.${run}, r.${file}
) AS l ON l.run_id = f.run_id AND l.file = f.file
) AS c`;
}

/** One row per key, or each row once, converted and hashed. */
export function createWorkTable(plan: MergePlan, work: string, runIds: string[]): string {
  const keys = keyColumns(plan).map(({ target }) => `r.${quoteIdentifier(target)}`);
  const cursor = plan.columns.find(({ name }) => name === plan.cursor?.column);
  const tieBreak = [
    `r.${order} DESC`,
    ...(cursor ? [`r.${quoteIdentifier(cursor.target)} DESC NULLS LAST`] : []),
    `r.${file} DESC`,
    `HASH(${columnNames(plan)
      .map((name) => `r.${name}`)
      .join(', ')}) DESC`,
  ];
  const rows = `SELECT r.*\n${committedRows(plan, runIds)}`;
  const deduplicated =
    keys.length === 0
      ? `${rows}\nQUALIFY r.${fileRow} IS NULL OR ROW_NUMBER() OVER (PARTITION BY r.${file}, r.${fileRow} ORDER BY r.${order}) = 1`
      : `${rows}\nQUALIFY ROW_NUMBER() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${tieBreak.join(', ')}) = 1`;
  // By name, so that the hash does not depend on the order in which the source lists its columns. The names count too:
  // a column that was renamed, or came instead of another, is a new column of staging, and the same values are to be written into it.
  const hashed = columnNames(plan).sort();
  const hashedNames = quoteLiteral(hashed.join(','));
  return `CREATE TRANSIENT TABLE ${work} AS
SELECT c.*, HASH(${[hashedNames, ...hashed.map((name) => `c.${name}`)].join(', ')}) AS ${hash}
FROM (
SELECT ${plan.columns.map((column) => `${converted(column)} AS ${quoteIdentifier(column.target)}`).join(', ')},
  d.${order} AS ${order}, d.${run} AS ${run}
FROM (
${deduplicated}
) AS d
) AS c`;
}

/** A key that several rows of the run have in the same order: ROW_KEY. A row that was loaded twice is one. */
export function findRepeatedKey(plan: MergePlan, runId: string): string {
  const keys = keyColumns(plan).map(({ target }) => `r.${quoteIdentifier(target)}`);
  return `SELECT ${keyText(plan)} AS ROW_KEY
${committedRows(plan, [runId])}
GROUP BY ${[...keys, `r.${order}`].join(', ')}
HAVING COUNT(DISTINCT CONCAT(r.${file}, ' ', COALESCE(TO_VARCHAR(r.${fileRow}), ''))) > 1
LIMIT 1`;
}

/**
 * The keys that a run has found at the source: those of its files of keys, and of the rows in its work table, if there is one. Once each,
 * with the run's id, which tells them from keys that are missing.
 */
export function createKeyTable(plan: MergePlan, keyTable: string, work: string | null, runId: string): string {
  const columns = keyColumns(plan);
  const ofRows = `
UNION
SELECT ${columns.map(({ target }) => quoteIdentifier(target)).join(', ')}, ${quoteLiteral(runId)} AS ${run}
FROM ${work}`;
  return `CREATE TRANSIENT TABLE ${keyTable} AS
SELECT DISTINCT ${columns.map((column) => `${converted(column)} AS ${quoteIdentifier(column.target)}`).join(', ')}, ${quoteLiteral(runId)} AS ${run}
FROM (
SELECT r.*
${committedRows(plan, [runId], 'key')}
) AS d${work === null ? '' : ofRows}`;
}
