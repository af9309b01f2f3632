import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface Ended {
  exit: number | undefined;
  stdout: string;
  stderr: string;
}

/** Runs `bin/firn.ts` as a user does, without a terminal; no sandbox is up unless `env` names one. */
export async function firn(args: string[], env: Record<string, string | undefined> = {}): Promise<Ended> {
  const { exitCode, stdout, stderr } = await execa(join(root, 'bin/firn.ts'), args, {
    cwd: root,
    preferLocal: true,
    reject: false,
    stdin: 'ignore',
    env: { FIRN_SANDBOX_DIR: mkdtempSync(join(tmpdir(), 'firn-none-')), ...env },
  });
  return { exit: exitCode, stdout, stderr };
}
