import type { ConfigStore } from '../config/store.js';
import type { ExportStart } from '../export/answers.js';
import type { Functions } from '../invocation.js';
import type { RunLog } from '../log.js';
import type { RawBucket } from '../raw-bucket/objects.js';
import type { RuntimeState } from '../state/runtime-state.js';

/** What answering a request needs. */
export interface StartContext {
  state: RuntimeState;
  configs: ConfigStore;
  raw: RawBucket;
  functions: Functions;
  /** Names of the functions `plan` and `warehouse`. */
  planFunction: string;
  warehouseFunction: string;
  exports: ExportStart;
  /** How long a SELECT waits for its runs. Milliseconds. */
  waitLimit: number;
  log: RunLog;
}
