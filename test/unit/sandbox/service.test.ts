import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { awsEnvironment } from '../../../sandbox/aws.js';
import { isRunning, type Service, ServiceFailed, startService, stopService } from '../../../sandbox/service.js';
import { withTurn } from '../../../sandbox/turn.js';

const directory = mkdtempSync(join(tmpdir(), 'firn-service-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const node = (name: string, program: string) => ({
  name,
  command: process.execPath,
  args: ['-e', program],
  env: {},
  port: 0,
  log: join(directory, `${name}.log`),
});
const always = async () => true;

describe('a server of the sandbox', () => {
  it('outlives its start and is gone after its stop', async () => {
    const service = await startService(node('patient', 'setInterval(() => {}, 1000)'), always);
    expect(isRunning(service)).toBe(true);
    await stopService(service);
    expect(isRunning(service)).toBe(false);
    await stopService(service);
  });

  it('that ends while starting is reported with what it said', async () => {
    const failing = startService(node('failing', 'console.error("no such table"); process.exit(3)'), async () => false);
    const error = await failing.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServiceFailed);
    expect((error as Error).message).toBe(
      `failing ended while starting (exit 3)\n  log: ${join(directory, 'failing.log')}\n  | no such table`,
    );
  });

  it('that cannot be started at all is reported', async () => {
    const missing = startService({ ...node('missing', ''), command: '/no/such/program' }, async () => false);
    await expect(missing).rejects.toThrow(/missing could not be started: spawn \/no\/such\/program ENOENT/);
  });

  it('that is never ready is stopped', async () => {
    let spawned: Service | undefined;
    const slow = startService(node('slow', 'setInterval(() => {}, 1000)'), async () => false, {
      seconds: 0.2,
      onSpawn: (service) => {
        spawned = service;
      },
    });
    await expect(slow).rejects.toThrow(/slow was not ready within 0.2 s/);
    await stopService(spawned!);
    expect(isRunning(spawned!)).toBe(false);
  });

  it('is not mistaken for a process that has its pid by now', () => {
    expect(isRunning({ pid: process.pid, startedAt: '1' })).toBe(false);
  });
});

describe('a turn at the sandbox', () => {
  it('is refused while another process has it, and taken over from a dead one', async () => {
    const other = await startService(node('other', 'setInterval(() => {}, 1000)'), always);
    writeFileSync(join(directory, 'turn.json'), JSON.stringify(other));
    await expect(withTurn(directory, always)).rejects.toThrow(`process ${other.pid} is bringing this sandbox up or down`);
    await stopService(other);
    expect(await withTurn(directory, always)).toBe(true);
  });
});

it.each(['https://dynamodb.us-east-1.amazonaws.com', 'http://127.0.0.1.example.com:4566', 'http://10.0.0.1:4566'])(
  'never talks to %s',
  (endpoint) => {
    expect(() => awsEnvironment(endpoint)).toThrow('the sandbox talks to AWS on this machine only');
  },
);
