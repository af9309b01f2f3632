import type { Client } from 'pg';
import { query } from './connection.js';

/** Below this a table is not worth a second connection. 8 MiB. */
const minPages = 1024;
/** The smallest range. 4 MiB. */
const leastPages = 512;

const storageStatement = `
SELECT pg_export_snapshot() AS snapshot, array_agg(pages::float8) AS pages
FROM (
  SELECT pg_relation_size(l.oid) / current_setting('block_size')::int AS pages
  FROM pg_class l
  WHERE l.oid = $1::oid AND l.relkind = 'r'
    OR l.oid IN (SELECT relid FROM pg_partition_tree($1::oid) WHERE isleaf)
) leaf
HAVING NOT pg_is_in_recovery() AND current_setting('server_version_num')::int >= 140000 AND (
  SELECT bool_and(c.relkind = 'r' AND a.amname = 'heap')
  FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam
  WHERE c.oid = $1::oid AND c.relkind <> 'p'
    OR c.oid IN (SELECT relid FROM pg_partition_tree($1::oid) WHERE isleaf)
    OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::oid AND c.relkind <> 'p')
)`;

/** What several connections share: the snapshot, and conditions that cover each row once. */
export interface SharedRead {
  snapshot: string;
  conditions: string[];
}

/**
 * Ranges of physical blocks that many connections can read from the one snapshot: a range condition on ctid applies to each partition by
 * itself, and the last one has no end. Null: one connection is to read everything, because the table is small, no heap (a view, a foreign
 * table), on a standby, or older than PostgreSQL 14, which cannot scan a range of blocks.
 */
export async function sharedRead(client: Client, oid: number, connections: number): Promise<SharedRead | null> {
  const [row] = await query<{ snapshot: string; pages: number[] }>(client, storageStatement, [oid]);
  if (row === undefined) return null;
  const total = row.pages.reduce((sum, pages) => sum + pages, 0);
  if (total < minPages) return null;
  return { snapshot: row.snapshot, conditions: blockConditions(row.pages, connections) };
}

/**
 * `pages`: size of each partition in blocks. Each range holds half of what a connection would get of the rest, counted over all partitions:
 * there are few ranges, and since the last are small the connections come to their end together.
 */
export function blockConditions(pages: readonly number[], connections: number): string[] {
  const total = pages.reduce((sum, size) => sum + size, 0);
  const bounds = new Set<number>();
  for (let read = 0; read < total; ) {
    read += Math.max(leastPages, (total - read) / (2 * connections));
    if (read < total) bounds.add(boundary(pages, read));
  }
  const starts = [0, ...bounds];
  return starts.map((from, i) => {
    const to = starts[i + 1];
    const start = `ctid >= '(${from},0)'::tid`;
    return to === undefined ? start : `${start} AND ctid < '(${to},0)'::tid`;
  });
}

/** The block number below which `wanted` of all blocks lie. */
function boundary(pages: readonly number[], wanted: number): number {
  let low = 0;
  let high = Math.max(...pages);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const below = pages.reduce((sum, size) => sum + Math.min(size, middle), 0);
    if (below < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
