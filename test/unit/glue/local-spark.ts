import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../../sandbox/paths.js';
import { localPython } from '../state/local-aws.js';

/** Why there is no Spark on this machine, or null. Tests that need it are left out then, and say so. */
export function missingSpark(): string | null {
  const { error } = spawnSync(process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java', ['-version']);
  return error ? 'Java is missing: the tests that run Spark are left out' : null;
}

interface Spark {
  python: string;
  environment: Record<string, string>;
}

/** The local Spark, installed when it is not there. */
export async function localSpark(): Promise<Spark> {
  const { stdout } = await promisify(execFile)(
    localPython(),
    ['-c', 'import json, spark; print(json.dumps({"python": str(spark.install()), "environment": spark.environment()}))'],
    { env: { ...process.env, PYTHONPATH: join(projectRoot, 'sandbox/glue') } },
  );
  return JSON.parse(stdout);
}

export type JobError = { code: string; message: string } | null;

/** Runs glue-scripts/extract_table.py with each list of arguments, in one Spark session. */
export async function runJobs(jobs: string[][]): Promise<JobError[]> {
  const { python, environment } = await localSpark();
  // Where the job puts what its JVM reads.
  const cwd = mkdtempSync(join(tmpdir(), 'firn-spark-'));
  try {
    const script = join(projectRoot, 'glue-scripts/tests/run_jobs.py');
    const options = { env: { ...process.env, ...environment }, cwd, maxBuffer: 1 << 26, timeout: 580_000 };
    const { stdout } = await promisify(execFile)(python, [script, JSON.stringify(jobs)], options);
    return JSON.parse(/^errors (.*)$/m.exec(stdout)![1]!);
  } finally {
    rmSync(cwd, { recursive: true });
  }
}
