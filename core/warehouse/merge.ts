import { quoteIdentifier, quoteLiteral } from './identifiers.js';
import { type KeyRange, withinRanges } from './key-range.js';
import { columnNames, keyColumns, type MergePlan, stagingColumns, stagingTable } from './merge-plan.js';

/**
 * The statements that bring a work table (work-table.ts) into staging. Pure text, free of Node APIs: the procedures and the tests share it.
 *
 * `_FIRN_ORDER` decides between two rows of a key, never arrival: a lesser order does not overwrite a greater one, so replays change
 * nothing. Rows whose hash is equal are not rewritten.
 */

const order = quoteIdentifier(stagingColumns.order);
const run = quoteIdentifier(stagingColumns.run);
const hash = quoteIdentifier(stagingColumns.hash);
const deleted = quoteIdentifier(stagingColumns.deleted);
const loadedAt = quoteIdentifier(stagingColumns.loadedAt);

/** Keys declared in the configuration may be nullable; a primary key's columns never are, and `=` joins faster. */
function sameKey(plan: MergePlan, left: string, right: string): string {
  return keyColumns(plan)
    .map(({ target, nullable }) => {
      const name = quoteIdentifier(target);
      return nullable ? `${left}.${name} IS NOT DISTINCT FROM ${right}.${name}` : `${left}.${name} = ${right}.${name}`;
    })
    .join(' AND ');
}

const sameKeyInRange = (plan: MergePlan, ranges: KeyRange[]): string =>
  [sameKey(plan, 't', 's'), ...withinRanges(plan, 't', ranges)].join(' AND ');

/** Answers the numbers of rows inserted and updated. */
export function mergeWorkTable(plan: MergePlan, work: string, ranges: KeyRange[]): string {
  const columns = [...columnNames(plan), order, run, hash];
  const retired = (plan.retired?.cleared ? plan.retired.columns : []).map((name) => `  ${quoteIdentifier(name)} = NULL,\n`).join('');
  return `MERGE INTO ${stagingTable(plan)} AS t
USING ${work} AS s
ON ${sameKeyInRange(plan, ranges)}
WHEN MATCHED AND t.${order} <= s.${order} AND (t.${hash} <> s.${hash} OR t.${deleted}) THEN UPDATE SET
${columns.map((name) => `  ${name} = s.${name}`).join(',\n')},
${retired}  ${deleted} = FALSE,
  ${loadedAt} = SYSDATE()
WHEN NOT MATCHED THEN INSERT (${columns.join(', ')}, ${deleted}, ${loadedAt})
VALUES (${columns.map((name) => `s.${name}`).join(', ')}, FALSE, SYSDATE())`;
}

/**
 * After the MERGE, how the rows of the work table stand in staging: ROWS_NEWER (staging holds a greater order),
 * ROWS_SAME (staging holds the row). Together they are all rows, or something is wrong.
 */
export function compareWorkTable(plan: MergePlan, work: string, ranges: KeyRange[]): string {
  return `SELECT COALESCE(SUM(IFF(t.${order} > s.${order}, 1, 0)), 0) AS ROWS_NEWER,
  COALESCE(SUM(IFF(t.${order} <= s.${order} AND t.${hash} = s.${hash} AND NOT t.${deleted}, 1, 0)), 0) AS ROWS_SAME
FROM ${stagingTable(plan)} AS t
INNER JOIN ${work} AS s ON ${sameKeyInRange(plan, ranges)}`;
}

/**
 * Keys of staging that the run has not seen. A row that a newer run wrote is not this run's to delete.
 * `seen`: the work table of a run that has read all rows, or the key table of one that has read all keys.
 */
const goneRows = (plan: MergePlan, seen: string): string => `FROM ${stagingTable(plan)} AS t
LEFT JOIN ${seen} AS s ON ${sameKey(plan, 't', 's')}
WHERE NOT t.${deleted}`;

const keyNames = (plan: MergePlan): string =>
  keyColumns(plan)
    .map(({ target }) => `t.${quoteIdentifier(target)}`)
    .join(', ');

const isGone = (plan: MergePlan): string => `s.${run} IS NULL AND t.${order} < ${quoteLiteral(plan.order)}`;

/** ROWS_BEFORE: living rows of staging; ROWS_GONE: those that the source no longer has. */
export function countGoneRows(plan: MergePlan, seen: string): string {
  return `SELECT COUNT(*) AS ROWS_BEFORE, COALESCE(SUM(IFF(${isGone(plan)}, 1, 0)), 0) AS ROWS_GONE
${goneRows(plan, seen)}`;
}

/** Answers the number of rows deleted or marked. */
export function deleteGoneRows(plan: MergePlan, seen: string, runId: string): string {
  const mark = `UPDATE SET ${deleted} = TRUE, ${order} = ${quoteLiteral(plan.order)}, ${run} = ${quoteLiteral(runId)}, ${loadedAt} = SYSDATE()`;
  return `MERGE INTO ${stagingTable(plan)} AS t
USING (
SELECT ${keyNames(plan)}
${goneRows(plan, seen)} AND ${isGone(plan)}
) AS s
ON ${sameKey(plan, 't', 's')}
WHEN MATCHED THEN ${plan.deletes.how === 'soft' ? mark : 'DELETE'}`;
}

/** ROW_ORDER: the greatest in staging, NULL when it is empty. */
export const greatestOrder = (plan: MergePlan): string => `SELECT MAX(${order}) AS ROW_ORDER FROM ${stagingTable(plan)}`;

/** ROWS_BEFORE: living rows. */
export const countStaging = (plan: MergePlan): string =>
  `SELECT COUNT(*) AS ROWS_BEFORE FROM ${stagingTable(plan)} AS t WHERE NOT t.${deleted}`;

/** A table without a key, or with another one than before, has no row to compare with: a full load replaces all of them, in the transaction. */
export function replaceRows(plan: MergePlan, work: string): string[] {
  const columns = [...columnNames(plan), order, run, hash].join(', ');
  return [
    `DELETE FROM ${stagingTable(plan)}`,
    `INSERT INTO ${stagingTable(plan)} (${columns}, ${deleted}, ${loadedAt}) SELECT ${columns}, FALSE, SYSDATE() FROM ${work}`,
  ];
}

/** Takes rows out of a work table that a later run has found gone: those older than the run of `plan`, whose keys are not in its key table. */
export function forgetGoneRows(plan: MergePlan, keyTable: string, work: string): string {
  return `MERGE INTO ${work} AS t
USING (
SELECT ${keyNames(plan)}
FROM ${work} AS t
LEFT JOIN ${keyTable} AS s ON ${sameKey(plan, 't', 's')}
WHERE ${isGone(plan)}
) AS s
ON ${sameKey(plan, 't', 's')}
WHEN MATCHED THEN DELETE`;
}
