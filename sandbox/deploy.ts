import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { configFiles } from '../core/config/files.js';
import { account, childEnvironment, region } from './aws.js';
import { runLogged } from './command.js';
import { fingerprint } from './fingerprint.js';
import type { Memory } from './memory.js';
import { mysqlDatabase } from './mysql.js';
import { nodeDirectory, projectRoot } from './paths.js';
import { sourceDatabase } from './postgres.js';
import { environmentName, type Outputs, secretNames, snowflakeUser } from './state.js';

export const stackName = `firn-${environmentName}`;
const secretsStackName = `${stackName}-secrets`;

/** What a deployment is made from. */
export const deployedCode = (): string =>
  fingerprint('bin/app.ts', 'lib', 'lambdas', 'core', 'sql', 'config', 'cdk.json', 'package-lock.json', 'tsconfig.json');

/** One sandbox's `cdk`: the real command, pointed at the local AWS. */
export interface Cdk {
  directory: string;
  /** Fingerprint of what is deployed. */
  code: string;
  endpoint: string;
  signal?: AbortSignal;
}

/** Runs `cdk`; `progress` is told how many resources are done. */
async function cdk({ directory, endpoint, signal }: Cdk, name: string, args: string[], progress?: (text: string) => void): Promise<void> {
  const node = nodeDirectory();
  const env = {
    ...childEnvironment(endpoint),
    PATH: [node, join(projectRoot, 'node_modules/.bin'), process.env.PATH].join(delimiter),
    CDK_HOME: join(directory, 'cdk'),
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    FORCE_COLOR: '0',
    NO_COLOR: '1',
  };
  const onLine = (line: string) => {
    const [, count] = /^\S+ \|\s*(\d+(?:\/\d+)?) \|/.exec(line) ?? [];
    if (count) progress?.(`${count} resources`);
  };
  const command = [join(node, 'node'), join(projectRoot, 'node_modules/aws-cdk/bin/cdk')] as const;
  await runLogged(name, [...command, ...args, '--no-notices', '--ci'], { log: join(directory, 'logs/deploy.log'), env, signal, onLine });
}

// Shared by the sandboxes of a checkout: synthesis takes longer than any deployment.
const assemblies = join(projectRoot, '.firn/assemblies');
const assembly = ({ code }: Cdk): string => join(assemblies, code.slice(0, 16));

export const isSynthesised = (to: Cdk): boolean => existsSync(assembly(to));

/** Synthesises both stacks of this code, unless a sandbox of the checkout has done so; needs no server. */
export async function synthesise(to: Cdk): Promise<void> {
  if (isSynthesised(to)) return;
  const unfinished = join(assemblies, `${process.pid}.unfinished`);
  try {
    await cdk(to, 'cdk synth', ['synth', secretsStackName, stackName, '--output', unfinished, '--quiet']);
    for (const old of readdirSync(assemblies)) if (!old.endsWith('.unfinished')) rmSync(join(assemblies, old), { recursive: true });
    renameSync(unfinished, assembly(to));
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

export const bootstrap = (to: Cdk): Promise<void> =>
  cdk(to, 'cdk bootstrap', ['bootstrap', `aws://${account}/${region}`, '--app', assembly(to)]);

const deployStack = (to: Cdk, stack: string, progress: (text: string) => void): Promise<void> =>
  cdk(
    to,
    `cdk deploy ${stack}`,
    ['deploy', stack, '--exclusively', '--app', assembly(to), '--require-approval', 'never', '--method', 'direct', '--progress', 'events'],
    progress,
  );

export const deploySecrets = (to: Cdk, progress: (text: string) => void) => deployStack(to, secretsStackName, progress);
export const deployFirn = (to: Cdk, progress: (text: string) => void) => deployStack(to, stackName, progress);

export interface Deployment {
  hasToolkit: boolean;
  hasSecrets: boolean;
  /** Of the stack `firn-dev` when it is complete. */
  outputs: Outputs | null;
}

/** What the local AWS holds already. */
export async function readDeployment({ endpoint }: Cdk): Promise<Deployment> {
  const client = new CloudFormationClient(clientSettings(endpoint));
  const { Stacks = [] } = await client.send(new DescribeStacksCommand({}));
  const complete = (name: string) =>
    Stacks.find(({ StackName, StackStatus }) => StackName === name && /^(CREATE|UPDATE)_COMPLETE$/.test(StackStatus ?? ''));
  const outputs = complete(stackName)?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]);
  return {
    hasToolkit: complete('CDKToolkit') !== undefined,
    hasSecrets: complete(secretsStackName) !== undefined,
    outputs: outputs ? (Object.fromEntries(outputs) as Outputs) : null,
  };
}

/** Puts the connections of this sandbox into its secrets. */
export async function putSecrets({ endpoint }: Cdk, { ports, logins, snowflakeKey, mysql }: Memory): Promise<void> {
  const client = new SecretsManagerClient(clientSettings(endpoint));
  const put = (SecretId: string, value: object) =>
    client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(value) }));
  const source = { host: '127.0.0.1', user: 'firn', password: logins.firn, sslmode: 'disable' };
  await put(secretNames.postgres, { ...source, port: ports.postgres, database: sourceDatabase });
  if (mysql) {
    // The stacks know the sources under config/ only.
    const Name = secretNames.mysql;
    await client.send(new CreateSecretCommand({ Name, SecretString: '{}' })).catch(() => {});
    await put(Name, { ...source, port: ports.mysql, database: mysqlDatabase });
  }
  await put(secretNames.snowflake, { ...snowflakeUser, privateKey: snowflakeKey, accessUrl: `http://127.0.0.1:${ports.snowflake}` });
}

/** Settings for SDK clients of this process. */
export const clientSettings = (endpoint: string) => ({
  endpoint,
  region,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

/** Pushes the configuration files with `firn config push`; with MariaDB those of its tables too. */
export async function pushConfig({ directory, endpoint, signal }: Cdk, { mysql }: Memory): Promise<void> {
  const folder = join(projectRoot, 'config');
  const files = mysql ? [...(await configFiles(folder)), join(projectRoot, 'sandbox/source-data/mysql-shop.yaml')] : [];
  return runLogged(
    'firn config push',
    [
      join(nodeDirectory(), 'node'),
      '--import',
      'tsx',
      join(projectRoot, 'bin/firn.ts'),
      'config',
      'push',
      ...files,
      '--env',
      environmentName,
    ],
    { log: join(directory, 'logs/deploy.log'), env: { ...childEnvironment(endpoint), FIRN_SANDBOX_DIR: directory }, signal },
  );
}
