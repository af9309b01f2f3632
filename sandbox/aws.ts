import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeDirectory, projectRoot, pythonPath } from './paths.js';
import { type OnSpawn, type Service, startService } from './service.js';

export const account = '000000000000';
export const region = 'us-east-1';

/**
 * Environment with which the AWS SDKs and the `cdk` command reach the sandbox, and nothing else: no profile, no metadata service.
 * @throws Error when the endpoint is not on this machine.
 */
export function awsEnvironment(endpoint: string): Record<string, string> {
  const host = new URL(endpoint).hostname;
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(host)) {
    throw new Error(`the sandbox talks to AWS on this machine only, not to ${endpoint}`);
  }
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    CDK_DEFAULT_ACCOUNT: account,
    CDK_DEFAULT_REGION: region,
    CDK_DISABLE_VERSION_CHECK: '1',
  };
}

/** This process's environment without what would name another AWS account, and with the sandbox's. */
export function childEnvironment(endpoint: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(AWS|CDK)_/.test(name) && !/^npm_config_nodedir$/i.test(name));
  return { ...Object.fromEntries(own), ...awsEnvironment(endpoint) };
}

/** Whether a local AWS was killed before it could write its state: what is left is older than Snowflake's. */
export const hasLostState = (directory: string): boolean => existsSync(join(directory, 'aws/unsaved'));

/** Starts the local AWS; its state is kept under `directory` from one start to the next. */
export function startAws(directory: string, port: number, onSpawn?: OnSpawn): Promise<Service> {
  const data = join(directory, 'aws');
  mkdirSync(data, { recursive: true });
  const endpoint = `http://127.0.0.1:${port}`;
  return startService(
    {
      name: 'aws',
      command: pythonPath(),
      args: [
        join(projectRoot, 'sandbox/aws/launcher.py'),
        ...['--port', String(port), '--data', data],
        ...['--node', nodeDirectory(), '--modules', join(projectRoot, 'node_modules')],
      ],
      env: { ...childEnvironment(endpoint), PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
      port,
      log: join(directory, 'logs/aws.log'),
    },
    () => answers(`${endpoint}/_ministack/health`),
    { onSpawn },
  );
}

export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
