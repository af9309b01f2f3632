import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientSettings } from '../../sandbox/deploy.js';
import { reset } from '../../sandbox/down.js';
import { freePort, readMemory, type ServiceName, writeWhole } from '../../sandbox/memory.js';
import { projectRoot } from '../../sandbox/paths.js';
import type { SandboxState } from '../../sandbox/state.js';
import { up } from '../../sandbox/up.js';
import { Line } from './line.js';

/**
 * A sandbox whose functions have failpoints, and reach AWS and Snowflake by lines that can be disturbed. All of it are environment
 * variables of the local AWS, function timeouts there and an address in a secret: the stack is the product's.
 */
export const faultSandboxDirectory = join(projectRoot, '.firn/fault-sandbox');

/** Folder of the failpoints' files (core/failpoints.ts). */
export const failpointFolder = (directory: string): string => join(directory, 'failpoints');

/** Ports of the lines between the functions and the servers. */
export interface Lines {
  aws: number;
  snowflake: number;
}
export const linesFile = (directory: string): string => join(directory, 'lines.json');

/**
 * Seconds after which a function that hangs is ended, instead of minutes; a cold start on a busy machine takes ten. The function `extract`
 * keeps its own: it would hand back what it has little time for.
 */
const functionTimeout = 45;
const shortened = ['plan', 'seal', 'warehouse', 'commit', 'on-failure'];

/** Seconds that a process of a function is kept for the next call, beyond the first one: each takes 150 MB. */
const keptWarm = 30;

/**
 * Brings the sandbox up anew; the lines live in this process.
 * @returns what stops and removes all of it
 */
export async function bringUpFaultSandbox(directory = faultSandboxDirectory, seed = 1): Promise<() => Promise<void>> {
  await reset(directory);
  const folder = failpointFolder(directory);
  mkdirSync(join(folder, 'hit'), { recursive: true });
  const portOf = (name: ServiceName) => readMemory(directory)!.ports[name];
  const lines = {
    aws: new Line('aws', seed, () => portOf('aws')),
    snowflake: new Line('snowflake', seed, () => portOf('snowflake')),
  };
  const ports: Lines = { aws: await lines.aws.open(await freePort()), snowflake: await lines.snowflake.open(await freePort()) };
  const remove = async () => {
    await reset(directory);
    await Promise.all([lines.aws.close(), lines.snowflake.close()]);
  };

  const variables = {
    FIRN_FAILPOINTS: folder,
    FIRN_FUNCTIONS_ENDPOINT: `http://127.0.0.1:${ports.aws}`,
    LAMBDA_WARM_TTL_SECONDS: String(keptWarm),
  };
  Object.assign(process.env, variables);
  try {
    const state = await up({ directory, push: false });
    await shortenTimeouts(state);
    await lead(state, ports.snowflake);
    writeWhole(linesFile(directory), ports);
  } catch (error) {
    await remove();
    throw error;
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
  }
  return remove;
}

async function shortenTimeouts({ aws, environment }: SandboxState): Promise<void> {
  const client = new LambdaClient(clientSettings(aws.endpoint));
  for (const name of shortened) {
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName: `firn-${environment}-${name}`, Timeout: functionTimeout }));
  }
}

/** Leads the functions' sessions at Snowflake over the line. */
async function lead({ aws, snowflake }: SandboxState, port: number): Promise<void> {
  const client = new SecretsManagerClient(clientSettings(aws.endpoint));
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: snowflake.secret }));
  const led = { ...JSON.parse(SecretString!), accessUrl: `http://127.0.0.1:${port}` };
  await client.send(new PutSecretValueCommand({ SecretId: snowflake.secret, SecretString: JSON.stringify(led) }));
}
