import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileSystem } from 'aws-cdk-lib';
import { bundleSql } from '../sql/bundle.js';

/** The SQL that makes Snowflake's half, bundled into one JSON file. */
export interface SqlBundleFile {
  /** Absolute. */
  readonly path: string;
  /** Changes with whatever the bootstrap would do differently. */
  readonly checksum: string;
}

/** Bundles `sql/` into a file of the folder given, for the bootstrap function to carry. */
export function writeSqlBundle(folder: string): SqlBundleFile {
  const json = JSON.stringify(bundleSql());
  const path = resolve(folder, 'sql.json');
  writeFileSync(path, json);
  const code = FileSystem.fingerprint(fileURLToPath(new URL('../core/bootstrap', import.meta.url)));
  return { path, checksum: createHash('sha256').update(json).update(code).digest('hex') };
}
