import type { ExportRef } from './context.js';
import { type ExportConfig, isFolder } from './schema.js';

/** Folder of the bucket that FIRN.EXPORT_STAGE shows, the only one that Snowflake may write to. A rule of the bucket empties it. */
export const stagePrefix = 'unload/';

/** Folder of one export's statements, below the stage. */
export const asideFolder = ({ exportId, index }: ExportRef): string => `${exportId}/${String(index).padStart(4, '0')}/`;

/** Where one statement writes, below the stage; a folder ends with a slash. `token`: another for each submission. */
export function asideKey(ref: ExportRef, token: string, config: ExportConfig): string {
  return `${asideFolder(ref)}${token}/${isFolder(config) ? '' : `data.${config.file_type}`}`;
}
