import type { Column } from '../column.js';

/** Where the rows of a file come from. `table` as its configuration names it; `run` only where there is one. */
export interface Origin {
  source: string;
  database: string;
  table: string;
  run?: string;
}

/** Key-value metadata by which a file tells whose rows it holds, and what the columns were at the source: `firn.schema` is JSON. */
export function fileMetadata({ source, database, table, run }: Origin, columns: readonly Column[]): Record<string, string> {
  const schema = columns.map(({ name, target, sourceType, nullable }) => ({ name, target, type: sourceType, nullable }));
  return {
    'firn.source': source,
    'firn.database': database,
    'firn.table': table,
    ...(run !== undefined && { 'firn.run': run }),
    'firn.schema': JSON.stringify(schema),
  };
}
