import type { S3Client } from '@aws-sdk/client-s3';
import type { ConfigStore } from '../config/store.js';
import type { RunLog } from '../log.js';
import type { RuntimeState } from '../state/runtime-state.js';
import type { Warehouse } from '../warehouse/snowflake.js';

/** The bucket of the exports. */
export interface ExportsBucket {
  client: S3Client;
  bucket: string;
}

/** What the steps of an export use. */
export interface ExportContext {
  state: RuntimeState;
  configs: ConfigStore;
  exports: ExportsBucket;
  /** A session at Snowflake, opened when it is first needed. */
  snowflake<T>(work: (session: Warehouse) => Promise<T>): Promise<T>;
  log: RunLog;
}

/** One export of a call. */
export interface ExportRef {
  exportId: string;
  index: number;
}
