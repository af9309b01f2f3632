import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const source = fileURLToPath(new URL('./assembly/index.ts', import.meta.url));
const options = ['--optimizeLevel', '3', '--noAssert', '--enable', 'simd', '--runtime', 'minimal', '--use', 'abort='];

/**
 * assembly/ as WebAssembly, in base64.
 * @throws Error what the compiler says
 */
export async function compileKernels(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'firn-kernels-'));
  try {
    const out = join(folder, 'kernels.wasm');
    await execa('asc', [source, ...options, '--outFile', out], {
      preferLocal: true,
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    });
    return (await readFile(out)).toString('base64');
  } finally {
    await rm(folder, { recursive: true });
  }
}
