import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { SnowflakeSecret } from '../core/secrets.js';
import { projectRoot, pythonPath, sandboxDirectory } from './paths.js';
import { type Steps, showSteps } from './steps.js';
import { withTurn } from './turn.js';

const project = join(projectRoot, 'dbt');
const requirements = join(project, 'requirements.lock');
const folder = join(projectRoot, '.firn/dbt');

/**
 * Installs dbt into `.firn/dbt`, a venv of its own, unless this version is there.
 * @param steps where progress is shown; null: nowhere
 * @returns path of dbt
 */
export async function installDbt(steps: Steps | null = showSteps()): Promise<string> {
  const ready = join(folder, 'ready');
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  const isReady = () => existsSync(ready) && readFileSync(ready, 'utf8') === wanted;
  if (!isReady()) {
    mkdirSync(folder, { recursive: true });
    await withTurn(folder, async () => {
      if (isReady()) return;
      const install = async () => {
        await execa(pythonPath(), ['-m', 'venv', '--clear', join(folder, 'venv')]);
        await execa(join(folder, 'venv/bin/python'), ['-m', 'pip', 'install', '--quiet', '--no-deps', '-r', requirements]);
      };
      await (steps ? steps.run('installing dbt', install) : install());
      writeFileSync(ready, wanted);
    });
  }
  return join(folder, 'venv/bin/dbt');
}

/**
 * Runs dbt on the project `dbt/` with the terminal as ours.
 * @param environment names the profile's target
 * @returns dbt's exit code: 0 done, 1 something failed, 2 it could not run
 */
export async function runDbt(args: string[], environment: string, secret: SnowflakeSecret): Promise<number> {
  const dbt = await installDbt();
  const work = join(sandboxDirectory(), 'dbt', environment);
  const { exitCode } = await execa(
    dbt,
    [...args, '--project-dir', project, '--profiles-dir', project, '--target-path', join(work, 'target'), '--log-path', join(work, 'logs')],
    { env: dbtVariables(environment, secret), stdio: 'inherit', reject: false },
  );
  return exitCode ?? 2;
}

/** What `dbt/profiles.yml` asks for. dbt keeps values of variables that begin with DBT_ENV_SECRET_ out of its logs. */
export function dbtVariables(environment: string, secret: SnowflakeSecret): Record<string, string> {
  const url = secret.accessUrl === undefined ? null : new URL(secret.accessUrl);
  return {
    FIRN_ENVIRONMENT: environment,
    SNOWFLAKE_ACCOUNT: secret.account,
    SNOWFLAKE_USER: secret.user,
    DBT_ENV_SECRET_SNOWFLAKE_PRIVATE_KEY: secret.privateKey,
    SNOWFLAKE_ROLE: secret.role,
    SNOWFLAKE_WAREHOUSE: secret.warehouse,
    SNOWFLAKE_DATABASE: secret.database,
    ...(url && {
      SNOWFLAKE_HOST: url.hostname,
      SNOWFLAKE_PORT: url.port || '443',
      SNOWFLAKE_PROTOCOL: url.protocol.replace(':', ''),
    }),
    DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
  };
}
