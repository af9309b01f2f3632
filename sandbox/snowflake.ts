import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { childEnvironment } from './aws.js';
import { projectRoot, pythonPath } from './paths.js';
import { type OnSpawn, type Service, startService } from './service.js';

/** Starts the local Snowflake, which finds stages, queues and external functions at the AWS of `awsEndpoint`. Its data are kept. */
export function startSnowflake(directory: string, port: number, awsEndpoint: string, onSpawn?: OnSpawn): Promise<Service> {
  const data = join(directory, 'snowflake');
  mkdirSync(data, { recursive: true });
  return startService(
    {
      name: 'snowflake',
      command: pythonPath(),
      args: [join(projectRoot, 'sandbox/snowflake/server.py'), '--port', String(port), '--data', data],
      env: { ...childEnvironment(awsEndpoint), PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1', TZ: 'UTC' },
      port,
      log: join(directory, 'logs/snowflake.log'),
    },
    () => responds(`http://127.0.0.1:${port}/`),
    { onSpawn },
  );
}

/** Whether anything answers HTTP there, with whatever status. */
async function responds(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.arrayBuffer().then(() => true),
    () => false,
  );
}
