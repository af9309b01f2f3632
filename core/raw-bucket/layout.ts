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
  return `${dataFileStem(runId, chunk)}${attempt}${String(part).padStart(3, '0')}.parquet`;
}

/** How the names of a chunk's files begin; then come the attempt and the part. */
export const dataFileStem = (runId: string, chunk: number): string => `${runId}-${String(chunk).padStart(4, '0')}-`;

export const manifestPrefix = (runId: string): string => `_manifests/${runId}/`;
export const planKey = (runId: string): string => `${manifestPrefix(runId)}plan.json`;
/** `place`: of the part among the chunk's, from 0. */
export const partKey = (runId: string, chunk: number, place = 0): string =>
  `${manifestPrefix(runId)}parts/${String(chunk).padStart(4, '0')}${place === 0 ? '' : `-${place}`}.json`;
/** Says that Glue reads what is left of the run. */
export const glueTakesKey = (runId: string): string => `${manifestPrefix(runId)}glue.json`;
/** What a Glue job run reads; each has a document of its own. */
export const glueReadPrefix = (runId: string): string => `${manifestPrefix(runId)}jobs/`;
export const glueReadKey = (runId: string, attempt: string): string => `${glueReadPrefix(runId)}${attempt}.json`;
export const manifestKey = (runId: string): string => `${manifestPrefix(runId)}manifest.json`;
export const logPrefix = (runId: string): string => `_logs/${runId}/`;
