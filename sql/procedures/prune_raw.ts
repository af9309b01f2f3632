import type { Plan } from '../../core/plan/plan.js';
import { systemColumns } from '../../core/system-columns.js';
import { qualifiedName, quoteIdentifier } from '../../core/warehouse/identifiers.js';
import { mergedRuns } from './runs.js';
import { query, type Snowflake } from './session.js';

interface Pruned {
  /** Null: none is set, so nothing is dropped. */
  days: number | null;
  tables: { table: string; rows: number }[];
  failed: { table: string; message: string }[];
}

const readsEverything = (plan: Plan): boolean => plan.mode === 'full' || plan.cursor?.from == null;

/**
 * CALL FIRN.PRUNE_RAW(): deletes raw rows that were loaded more than `raw_retention_days` ago and that PROCESS_TABLE(source, database, table)
 * would not read: those older than the latest merged run that read the whole table. A run that is older than a merged one cannot be merged
 * after it, so no redrive misses them either. Rows that the table had under another name of the configuration were counted by themselves. DELETE, never TRUNCATE: that would forget which files were loaded, and they would be loaded again.
 */
export function main(snowflake: Snowflake): Pruned {
  const [setting] = query(snowflake, 'SELECT raw_retention_days AS DAYS FROM FIRN.RETENTION');
  const days = setting?.DAYS == null ? null : Number(setting.DAYS);
  const pruned: Pruned = { days, tables: [], failed: [] };
  if (days === null) return pruned;
  const tables = query(
    snowflake,
    'SELECT DISTINCT source AS SOURCE, database AS DB, table_name AS NAME FROM FIRN.RUN_RESULTS ORDER BY 1, 2, 3',
  );
  for (const { SOURCE, DB, NAME } of tables) {
    const runs = mergedRuns(snowflake, { source: String(SOURCE), database: String(DB), table: String(NAME) });
    const first = runs[runs.map(readsEverything).lastIndexOf(true)];
    if (!first) continue;
    const table = qualifiedName(first.target.rawSchema, first.target.rawTable);
    try {
      const [deleted] = query(
        snowflake,
        `DELETE FROM ${table} WHERE ${quoteIdentifier(systemColumns.order)} < ?
AND ${quoteIdentifier(systemColumns.loadedAt)} < DATEADD('day', -${days}, CURRENT_TIMESTAMP())
AND ${quoteIdentifier(systemColumns.run)} IN (
  SELECT run_id FROM FIRN.RUN_EVENTS WHERE event = 'PREPARED' AND source = ? AND database = ? AND table_name = ?
)`,
        [first.order, String(SOURCE), String(DB), String(NAME)],
      );
      pruned.tables.push({ table, rows: Number(Object.values(deleted ?? {})[0]) });
    } catch (error) {
      // One table that is gone or forbidden does not keep the others.
      pruned.failed.push({ table, message: String(error).slice(0, 300) });
    }
  }
  return pruned;
}
