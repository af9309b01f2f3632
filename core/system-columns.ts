/** Columns that Firn adds. `_FIRN_RUN`, `_FIRN_OP`, `_FIRN_ORDER` are in the file; the other two come from the load's metadata. */
export const systemColumns = {
  run: '_FIRN_RUN',
  op: '_FIRN_OP',
  order: '_FIRN_ORDER',
  file: '_FIRN_FILE',
  loadedAt: '_FIRN_LOADED_AT',
} as const;
