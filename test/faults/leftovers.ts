import type { World } from './world.js';

/** Claims, permits, sessions at the source and work tables that are left, one line each. To be called when nothing runs. */
export async function leftovers(world: World, database: string): Promise<string[]> {
  const items = (await world.runtimeItems()).filter(({ pk }) => pk === `PostgreSQL#${database}`);
  const owned = items
    .filter(({ current, next }) => current || next)
    .map(({ sk, current, next }) => `claim of ${sk}: ${JSON.stringify(current ?? next)}`);
  const permits = items.filter(({ sk, arn }) => String(sk).startsWith('permit#') && arn).map(({ sk, arn }) => `${sk}: ${arn}`);
  const { rows: sessions } = await world.source.query(
    `SELECT 'session at the source: ' || pid || ' ' || state || ' ' || query AS line FROM pg_stat_activity WHERE application_name LIKE 'firn%' AND pid <> pg_backend_pid()`,
  );
  const tables = await world.query(
    "SELECT table_name AS NAME FROM INFORMATION_SCHEMA.TABLES WHERE table_schema = 'FIRN' AND STARTSWITH(table_name, 'W_')",
  );
  return [...owned, ...permits, ...sessions.map(({ line }) => String(line)), ...tables.map(({ NAME }) => `work table ${NAME}`)];
}

/** What does not add up in the receipt of a run that has succeeded. */
export function miscounts(receipt: Record<string, unknown>): string[] {
  const { run_id, rows_read, rows_loaded, rows_merged, rows_inserted, rows_updated, rows_unchanged, rows_superseded } = receipt;
  const accounted = [rows_inserted, rows_updated, rows_unchanged, rows_superseded].reduce<number>((sum, rows) => sum + Number(rows), 0);
  const counts = [rows_read, rows_loaded, rows_merged].map(Number);
  return counts.every((count) => count === accounted)
    ? []
    : [`run ${run_id}: ${counts.join(', ')} rows read, loaded, merged; ${accounted} accounted for`];
}
