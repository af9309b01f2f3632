#!/usr/bin/env tsx
import { writeFileSync } from 'node:fs';
import { compileKernels } from './compile.js';

/** Writes compiled.ts: `npm run kernels`, after each change of assembly/. */
writeFileSync(
  new URL('./compiled.ts', import.meta.url),
  `/** WebAssembly of assembly/, written by \`npm run kernels\`. */\nexport const compiled =\n  '${await compileKernels()}';\n`,
);
