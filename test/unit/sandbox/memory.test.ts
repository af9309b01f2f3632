import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort, newMemory } from '../../../sandbox/memory.js';

it('gives each server of a new sandbox a port of its own, and the same one again while it is free', async () => {
  const { ports } = await newMemory();
  expect(new Set(Object.values(ports)).size).toBe(4);
  expect(await freePort(ports.postgres)).toBe(ports.postgres);
  expect(await freePort(ports.postgres)).toBe(ports.postgres);
  const other = createServer().listen(ports.postgres, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  expect(await freePort(ports.postgres)).not.toBe(ports.postgres);
  other.close();
});
