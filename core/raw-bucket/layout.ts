import type { RunRef } from '../plan/plan.js';

/**
 * Keys of the raw bucket. Pure text: no AWS here.
 *
 * Data: `<Source>/<database>/<table>/<YYYY-MM-DD>/<HH>/<run>-<chunk>-<random>.parquet`, UTC.
 */

/**
 * A name as one path segment. Letters, digits, `.`, `_` and `-` stay; every other byte of its UTF-8 form becomes `~XX`.
 * `~` is unreserved in URLs (RFC 3986, 2.3), so no layer encodes it again. Reversible, so two names never share a folder.
 */
export function segment(name: string): string {
  // Not Buffer: Snowflake's procedures compute the same folder.
  const safe = encodeURIComponent(name)
    .replace(/[!~*'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%/g, '~');
  return safe === '.' || safe === '..' ? safe.replace(/\./g, '~2E') : safe;
}

/** Folder of a table, with its closing slash: `orders/` must not catch `orders_archive/`. */
export function tablePrefix(ref: Pick<RunRef, 'source' | 'database' | 'table'>): string {
  return `${segment(ref.source)}/${segment(ref.database)}/${segment(ref.table)}/`;
}

/** Folder of the data files of a run planned at `at`. */
export function dataPrefix(ref: Pick<RunRef, 'source' | 'database' | 'table'>, at: Date): string {
  const iso = at.toISOString();
  return `${tablePrefix(ref)}${iso.slice(0, 10)}/${iso.slice(11, 13)}/`;
}

/** `attempt` is made anew by each attempt of the extractor, so a file is never overwritten. */
export function dataFileName(runId: string, chunk: number, attempt: string, part: number): string {
  return `${runId}-${String(chunk).padStart(4, '0')}-${attempt}${String(part).padStart(3, '0')}.parquet`;
}

export const manifestPrefix = (runId: string): string => `_manifests/${runId}/`;
export const planKey = (runId: string): string => `${manifestPrefix(runId)}plan.json`;
export const partKey = (runId: string, chunk: number): string => `${manifestPrefix(runId)}parts/${String(chunk).padStart(4, '0')}.json`;
export const manifestKey = (runId: string): string => `${manifestPrefix(runId)}manifest.json`;
export const logPrefix = (runId: string): string => `_logs/${runId}/`;
