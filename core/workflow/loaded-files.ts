import { systemColumns } from '../column.js';
import { FirnError } from '../errors.js';
import type { DataFile, Manifest } from '../plan/manifest.js';
import type { Plan } from '../plan/plan.js';
import { qualifiedName, quoteIdentifier } from '../warehouse/identifiers.js';
import type { Warehouse } from '../warehouse/snowflake.js';

export const rawTableName = ({ target }: Pick<Plan, 'target'>): string => qualifiedName(target.rawSchema, target.rawTable);

const [run, file, row] = [systemColumns.run, systemColumns.file, systemColumns.row].map(quoteIdentifier);

/**
 * Rows of the run in raw, by file; one that was loaded twice counts once. Raw may hold files that no manifest names.
 * Not merely counted: of a file that is loaded twice at once, the halves of both may be there before the whole of either.
 */
export async function countLoadedRows(warehouse: Warehouse, plan: Plan): Promise<Map<string, number>> {
  const rows = await warehouse.query(
    `SELECT ${file} AS "file", COUNT(DISTINCT ${row}) + COUNT_IF(${row} IS NULL) AS "rows"
FROM ${rawTableName(plan)} WHERE ${run} = ? GROUP BY ${file}`,
    [plan.run.runId],
  );
  return new Map(rows.map(({ file, rows }) => [String(file), Number(rows)]));
}

/**
 * The manifest's files that are not fully loaded yet.
 * @throws FirnError CountMismatch when a file has more rows in raw than were written into it
 */
export function missingFiles({ files }: Pick<Manifest, 'files'>, loaded: Map<string, number>): DataFile[] {
  const excess = files.find(({ key, rows }) => (loaded.get(key) ?? 0) > rows);
  if (excess) {
    throw new FirnError('CountMismatch', `${excess.key} holds ${excess.rows} rows, but raw has ${loaded.get(excess.key)} of it.`);
  }
  return files.filter(({ key, rows }) => (loaded.get(key) ?? 0) < rows);
}
