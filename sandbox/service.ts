import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A server of the sandbox that runs by itself, as state.json remembers it. */
export interface Service {
  name: string;
  pid: number;
  /** When the process started, as the system tells it: a pid alone may be somebody else's by now. */
  startedAt: string;
  port: number;
  log: string;
}

export interface Command {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  port: number;
  log: string;
  cwd?: string;
  uid?: number;
  gid?: number;
}

export class ServiceFailed extends Error {
  readonly log: string;

  constructor(name: string, what: string, log: string) {
    super(`${name} ${what}\n  log: ${log}\n${lastLines(log, 8)}`);
    this.name = 'ServiceFailed';
    this.log = log;
  }
}

/** Told of a server as soon as it has a process, so that it can be stopped even if this one dies before it is ready. */
export type OnSpawn = (service: Service) => void;

/**
 * Starts a server that outlives this process, its output appended to `log`, and waits until `isReady` says so.
 * @throws ServiceFailed when it exits first or is not ready within `seconds`; it is stopped then.
 */
export async function startService(
  command: Command,
  isReady: () => Promise<boolean>,
  { onSpawn, seconds = 60 }: { onSpawn?: OnSpawn; seconds?: number } = {},
): Promise<Service> {
  mkdirSync(dirname(command.log), { recursive: true });
  const log = openSync(command.log, 'a');
  const child = spawn(command.command, command.args, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: ['ignore', log, log],
    uid: command.uid,
    gid: command.gid,
  });
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = `could not be started: ${error.message}`;
  });
  child.once('exit', (code, signal) => {
    ended ??= `ended while starting (${signal ?? `exit ${code}`})`;
  });
  const service = { name: command.name, pid: child.pid ?? 0, startedAt: '', port: command.port, log: command.log };
  if (child.pid) {
    service.startedAt = startTime(child.pid) ?? '';
    onSpawn?.(service);
  }
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    if (ended) throw new ServiceFailed(command.name, ended, command.log);
    if (await isReady()) break;
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new ServiceFailed(command.name, `was not ready within ${seconds} s`, command.log);
    }
    await pause(40);
  }
  child.unref();
  return service;
}

export function isRunning(service: Pick<Service, 'pid' | 'startedAt'>): boolean {
  const started = startTime(service.pid);
  return started !== undefined && started === service.startedAt;
}

/** Sends `signal` and waits until the process is gone; after `seconds` it is killed. */
export async function stopService(service: Service, signal: NodeJS.Signals = 'SIGTERM', seconds = 20): Promise<void> {
  if (!isRunning(service)) return;
  process.kill(service.pid, signal);
  const deadline = Date.now() + seconds * 1000;
  while (isRunning(service)) {
    if (Date.now() > deadline) process.kill(service.pid, 'SIGKILL');
    await pause(25);
  }
}

/** Start time of a live process (not of a zombie), else undefined. Where there is no /proc, only whether it lives. */
export function startTime(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  if (process.platform !== 'linux') return 'alive';
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Where `cdk`, esbuild and Node begin to say what failed. */
const failureStart = /^❌|✘ \[ERROR\]|^\w*Error\b.*:/;

/** The last lines of a log, from where they say what failed if they do. */
export function lastLines(log: string, count: number): string {
  try {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-40);
    const failure = lines.findLastIndex((line) => failureStart.test(line));
    const shown = failure < 0 ? lines.slice(-count) : lines.slice(failure, failure + count);
    return shown.map((line) => `  | ${line}`).join('\n');
  } catch {
    return '  | (no log)';
  }
}
