import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { projectRoot } from './paths.js';
import { ServiceFailed } from './service.js';

/** Ctrl-C. */
export class Interrupted extends Error {}

/**
 * Runs a command to its end, its output appended to `log`.
 * @throws ServiceFailed with the last lines of the log; Interrupted when `signal` is aborted.
 */
export async function runLogged(
  name: string,
  [command, ...args]: [string, ...string[]],
  { log, env, signal, onLine }: { log: string; env: NodeJS.ProcessEnv; signal?: AbortSignal; onLine?: (line: string) => void },
): Promise<void> {
  mkdirSync(dirname(log), { recursive: true });
  const file = createWriteStream(log, { flags: 'a' });
  const child = execa(command, args, {
    cwd: projectRoot,
    env,
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
    cancelSignal: signal,
    forceKillAfterDelay: 5000,
  });
  for await (const line of child.iterable({ from: 'all' })) {
    file.write(`${line}\n`);
    onLine?.(line);
  }
  const result = await child;
  await new Promise((resolve) => file.end(resolve));
  if (result.isCanceled) throw new Interrupted(`${name} was interrupted`);
  if (result.failed) throw new ServiceFailed(name, `failed (${result.signal ?? `exit ${result.exitCode ?? result.code}`})`, log);
}
