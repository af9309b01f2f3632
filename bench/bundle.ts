import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const commonJs = "import{createRequire as c_}from'node:module';const require=c_(import.meta.url);";

/** Bundles firn.ts, or another reader, with the settings of the functions; answers the file. */
export async function bundleFirn(folder: string, name = 'firn'): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    banner: { js: commonJs },
    external: ['pg-native', 'snappy'],
    keepNames: true,
    logLevel: 'error',
    outfile,
  });
  return outfile;
}
