import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { projectRoot, pythonPath } from '../../../sandbox/paths.js';
import { withTurn } from '../../../sandbox/turn.js';

/** Not in the sandbox's venv, where every start of the local Snowflake would load it. */
const pandas = 'pandas==3.1.1';
const folder = join(projectRoot, '.firn/pandas');

async function installPandas(): Promise<string> {
  const ready = join(folder, 'ready');
  const isReady = () => existsSync(ready) && readFileSync(ready, 'utf8') === pandas;
  if (!isReady()) {
    mkdirSync(folder, { recursive: true });
    await withTurn(folder, async () => {
      if (isReady()) return;
      const pip = [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--no-deps',
        '--upgrade',
        '--target',
        join(folder, 'lib'),
      ];
      await execa(pythonPath(), [...pip, pandas]);
      writeFileSync(ready, pandas);
    });
  }
  return join(folder, 'lib');
}

/** The rows of an exported file as a reader gives them, each value as an exact text. */
export async function readBack(kind: string, reader: string, path: string, nullValue = ''): Promise<(string | null)[][]> {
  const script = join(projectRoot, 'test/unit/export/read_back.py');
  const PYTHONPATH = reader === 'pandas' ? await installPandas() : '';
  const { stdout } = await execa(pythonPath(), [script, kind, reader, path, nullValue], {
    env: { PYTHONPATH, PYTHONDONTWRITEBYTECODE: '1' },
  });
  return JSON.parse(stdout);
}
