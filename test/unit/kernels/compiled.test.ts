import { expect, it } from 'vitest';
import { compileKernels } from '../../../core/kernels/compile.js';
import { compiled } from '../../../core/kernels/compiled.js';

it('the kernels are compiled from their source: else `npm run kernels`', async () => {
  expect((await compileKernels()) === compiled).toBe(true);
});
