/**
 * Columns that Firn adds. `_FIRN_RUN`, `_FIRN_OP`, `_FIRN_ORDER` are in the file; the others come from the load's metadata. `_FIRN_ROW`,
 * the row's number in its file, tells a row that was loaded twice from two rows that are alike.
 */
export const systemColumns = {
  run: '_FIRN_RUN',
  op: '_FIRN_OP',
  order: '_FIRN_ORDER',
  file: '_FIRN_FILE',
  row: '_FIRN_ROW',
  loadedAt: '_FIRN_LOADED_AT',
} as const;

/** `_FIRN_OP`: R, a row as a query read it; K, only the key of a row, which proves that the row is there. */
export const operations = { row: 'R', key: 'K' } as const;
