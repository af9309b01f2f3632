#!/usr/bin/env tsx
import { fileURLToPath } from 'node:url';
import { runsElsewhere } from './runtime.js';

if (!runsElsewhere(fileURLToPath(import.meta.url))) {
  const { main } = await import('../cli/main.js');
  process.exitCode = await main(process.argv);
}
